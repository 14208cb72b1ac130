//! The gateway's trait on the desk: one line a verb.

use std::time::Duration;

use aureole_api::{Problem, rest};
use aureole_gateway::{Blob, Component, InputCheck, Platform, Submission, TaskFilter, Verification};
use aureole_ledger::{CircuitId, TaskId};
use serde_json::Value;

use super::Desk;
use crate::health;

#[async_trait::async_trait]
impl Platform for Desk {
    async fn put_plugin(&self, component: Component) -> Result<(rest::Plugin, bool), Problem> {
        self.upload(component).await
    }

    async fn plugins(&self) -> Result<rest::PluginList, Problem> {
        self.list_plugins().await
    }

    async fn plugin(
        &self,
        plugin: &rest::PluginRef,
        wait: Duration,
    ) -> Result<rest::Plugin, Problem> {
        self.show_plugin(plugin, wait).await
    }

    async fn retire_plugin(&self, plugin: &rest::PluginRef) -> Result<rest::Plugin, Problem> {
        self.retire(plugin).await
    }

    async fn put_circuit(
        &self,
        plugin: &rest::PluginRef,
        params: Option<Value>,
    ) -> Result<(rest::Circuit, bool), Problem> {
        self.make_circuit(plugin, params.as_ref()).await
    }

    async fn circuit(&self, circuit: CircuitId, wait: Duration) -> Result<rest::Circuit, Problem> {
        self.show_circuit(&circuit, wait).await
    }

    async fn circuit_ir(&self, circuit: CircuitId) -> Result<Blob, Problem> {
        self.circuit_bytes(&circuit).await
    }

    async fn check_input(&self, check: InputCheck) -> Result<rest::CheckReport, Problem> {
        self.check_against(check).await
    }

    async fn submit(&self, submission: Submission) -> Result<rest::Task, Problem> {
        self.submit_task(submission).await
    }

    async fn task(&self, task: TaskId, wait: Duration) -> Result<rest::Task, Problem> {
        self.show_task(task, wait).await
    }

    async fn tasks(&self, filter: TaskFilter) -> Result<rest::TaskPage, Problem> {
        self.list_tasks(filter).await
    }

    async fn explain(&self, task: TaskId) -> Result<rest::Explanation, Problem> {
        self.explain_task(task).await
    }

    async fn cancel(&self, task: TaskId) -> Result<rest::Task, Problem> {
        self.cancel_task(task).await
    }

    async fn proof(&self, task: TaskId) -> Result<Blob, Problem> {
        self.proof_of(task).await
    }

    async fn verify(&self, request: Verification) -> Result<rest::Verdict, Problem> {
        self.verdict(request).await
    }

    async fn health(&self) -> rest::Health {
        health::of(self)
    }
}
