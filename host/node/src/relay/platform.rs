//! The gateway's trait on the relay: each verb once for here and once for the wire.

use std::time::Duration;

use async_trait::async_trait;
use aureole_api::{Problem, codes, rest};
use aureole_gateway::{
    Administered, Administration, BatchVerification, Blob, Caller, Component, InputCheck, KeyHash,
    LogRead, Platform, Seen, Submission, TaskFilter, Verification,
};
use aureole_ledger::{CircuitId, TaskId, WorkerId};
use bytes::Bytes;
use futures::FutureExt as _;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::Relay;
use super::call::{Call, millis};
use super::patience::{Pace, VERDICT_WITHIN, Wait};
use crate::desk::COMPONENT_BYTES_MAX;
use crate::health;
use crate::ids;

#[async_trait]
impl Platform for Relay {
    async fn authenticate(&self, key: &KeyHash) -> Result<Option<Caller>, Problem> {
        self.let_in(key).await
    }

    async fn authenticate_token(&self, token: &str) -> Result<Option<Caller>, Problem> {
        self.let_in_by_token(token).await
    }

    async fn me(&self, caller: &Caller) -> Result<rest::Me, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Me,
            |desk| {
                let caller = caller.clone();
                async move { Ok(desk.introduce(&caller)) }.boxed()
            },
        )
        .await
    }

    async fn administer(
        &self,
        caller: &Caller,
        asked: Administration,
    ) -> Result<Administered, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Administer(asked.clone()),
            |desk| {
                let (caller, asked) = (caller.clone(), asked.clone());
                async move { desk.administer(&caller, asked).await }.boxed()
            },
        )
        .await
    }

    async fn put_plugin(
        &self,
        caller: &Caller,
        component: Component,
    ) -> Result<(rest::Plugin, bool), Problem> {
        let signature = component.signature().cloned();
        // Kept whole, so that it can be sent to the next leader; the gateway bounds how many
        // requests there are at a time.
        let bytes = read_whole(component).await?;
        let again = || Component::from_bytes(bytes.clone()).signed(signature.clone());
        self.until_answered(
            Some(caller),
            Pace::Long,
            |address, left| {
                let (signature, bytes) = (signature.clone(), bytes.clone());
                async move {
                    self.remote
                        .upload(&address, caller, signature.as_ref(), &bytes, left)
                        .await
                }
            },
            |desk| {
                let caller = caller.clone();
                let component = again();
                async move { desk.upload(&caller, component).await }.boxed()
            },
        )
        .await
    }

    async fn plugins(&self, caller: &Caller) -> Result<rest::PluginList, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Plugins,
            |desk| {
                let caller = caller.clone();
                async move { desk.list_plugins(&caller).await }.boxed()
            },
        )
        .await
    }

    async fn plugin(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
        wait: Duration,
    ) -> Result<rest::Plugin, Problem> {
        let (asked, wait) = (wait, Wait::new(wait));
        self.ask(
            Some(caller),
            Pace::Waiting(asked),
            || Call::Plugin {
                plugin: plugin.clone(),
                wait_ms: millis(wait.left()),
            },
            |desk| {
                let caller = caller.clone();
                let plugin = plugin.clone();
                async move { desk.show_plugin(&caller, &plugin, wait.left()).await }.boxed()
            },
        )
        .await
    }

    async fn retire_plugin(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
    ) -> Result<rest::Plugin, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::RetirePlugin {
                plugin: plugin.clone(),
            },
            |desk| {
                let caller = caller.clone();
                let plugin = plugin.clone();
                async move { desk.retire(&caller, &plugin).await }.boxed()
            },
        )
        .await
    }

    async fn share_plugin(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
        sharing: rest::Sharing,
    ) -> Result<rest::Plugin, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::SharePlugin {
                plugin: plugin.clone(),
                sharing: sharing.clone(),
            },
            |desk| {
                let caller = caller.clone();
                let (plugin, sharing) = (plugin.clone(), sharing.clone());
                async move { desk.share(&caller, &plugin, sharing).await }.boxed()
            },
        )
        .await
    }

    async fn put_circuit(
        &self,
        caller: &Caller,
        plugin: &rest::PluginRef,
        params: Option<Value>,
    ) -> Result<(rest::Circuit, bool), Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::PutCircuit {
                plugin: plugin.clone(),
                params: params.clone(),
            },
            |desk| {
                let caller = caller.clone();
                let (plugin, params) = (plugin.clone(), params.clone());
                async move { desk.make_circuit(&caller, &plugin, params.as_ref()).await }.boxed()
            },
        )
        .await
    }

    async fn circuit(
        &self,
        caller: &Caller,
        circuit: CircuitId,
        wait: Duration,
    ) -> Result<rest::Circuit, Problem> {
        let (asked, wait) = (wait, Wait::new(wait));
        self.ask(
            Some(caller),
            Pace::Waiting(asked),
            || Call::Circuit {
                circuit,
                wait_ms: millis(wait.left()),
            },
            |desk| {
                let caller = caller.clone();
                async move { desk.show_circuit(&caller, &circuit, wait.left()).await }.boxed()
            },
        )
        .await
    }

    async fn circuit_ir(&self, caller: &Caller, circuit: CircuitId) -> Result<Blob, Problem> {
        self.until_answered(
            Some(caller),
            Pace::Long,
            |address, left| async move {
                let call = Call::CircuitIr { circuit };
                self.remote.fetch(&address, caller, &call, left).await
            },
            |desk| {
                let caller = caller.clone();
                async move { desk.circuit_bytes(&caller, &circuit).await }.boxed()
            },
        )
        .await
    }

    async fn check_input(
        &self,
        caller: &Caller,
        check: InputCheck,
    ) -> Result<rest::CheckReport, Problem> {
        self.ask(
            Some(caller),
            Pace::Long,
            || Call::check_input(&check),
            |desk| {
                let caller = caller.clone();
                let check = check.clone();
                async move { desk.check_against(&caller, check).await }.boxed()
            },
        )
        .await
    }

    async fn submit(&self, caller: &Caller, submission: Submission) -> Result<rest::Task, Problem> {
        // Fixed before the first try: whoever does it again does the same.
        let task = ids::task_id().map_err(|error| {
            tracing::error!(%error, "no randomness for an id");
            Problem::new(codes::node::INTERNAL, "no randomness for an id")
        })?;
        let verdict = Wait::new(VERDICT_WITHIN);
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::submit(task, &submission, verdict.left()),
            |desk| {
                let caller = caller.clone();
                let submission = submission.clone();
                async move {
                    desk.submit_as(&caller, task, submission, verdict.left())
                        .await
                }
                .boxed()
            },
        )
        .await
    }

    async fn task(
        &self,
        caller: &Caller,
        task: TaskId,
        wait: Duration,
    ) -> Result<rest::Task, Problem> {
        if self.is_let_in(caller)
            && let Some(finished) = self.hot.task(caller, task).await
        {
            return Ok(finished);
        }
        let (asked, wait) = (wait, Wait::new(wait));
        let task = self
            .ask(
                Some(caller),
                Pace::Waiting(asked),
                || Call::Task {
                    task,
                    wait_ms: millis(wait.left()),
                },
                |desk| {
                    let caller = caller.clone();
                    async move { desk.show_task(&caller, task, wait.left()).await }.boxed()
                },
            )
            .await?;
        self.was_let_in(caller);
        self.hot.keep(caller, &task);
        Ok(task)
    }

    async fn task_change(
        &self,
        caller: &Caller,
        task: TaskId,
        seen: &Seen,
        wait: Duration,
    ) -> Result<rest::Task, Problem> {
        let (asked, wait) = (wait, Wait::new(wait));
        self.ask(
            Some(caller),
            Pace::Waiting(asked),
            || Call::TaskChange {
                task,
                seen: *seen,
                wait_ms: millis(wait.left()),
            },
            |desk| {
                let (caller, seen) = (caller.clone(), *seen);
                async move { desk.changed_task(&caller, task, &seen, wait.left()).await }.boxed()
            },
        )
        .await
    }

    async fn tasks(&self, caller: &Caller, filter: TaskFilter) -> Result<rest::TaskPage, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::tasks(&filter),
            |desk| {
                let caller = caller.clone();
                let filter = filter.clone();
                async move { desk.list_tasks(&caller, filter).await }.boxed()
            },
        )
        .await
    }

    async fn explain(&self, caller: &Caller, task: TaskId) -> Result<rest::Explanation, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Explain { task },
            |desk| {
                let caller = caller.clone();
                async move { desk.explain_task(&caller, task).await }.boxed()
            },
        )
        .await
    }

    async fn cancel(&self, caller: &Caller, task: TaskId) -> Result<rest::Task, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Cancel { task },
            |desk| {
                let caller = caller.clone();
                async move { desk.cancel_task(&caller, task).await }.boxed()
            },
        )
        .await
    }

    async fn proof(&self, caller: &Caller, task: TaskId) -> Result<Blob, Problem> {
        if self.is_let_in(caller)
            && let Some(proof) = self.hot.proof(caller, task).await
        {
            return Ok(proof);
        }
        self.until_answered(
            Some(caller),
            Pace::Prompt,
            |address, left| async move {
                let call = Call::Proof { task };
                self.remote.fetch(&address, caller, &call, left).await
            },
            |desk| {
                let caller = caller.clone();
                async move { desk.proof_of(&caller, task).await }.boxed()
            },
        )
        .await
    }

    async fn verify(
        &self,
        caller: &Caller,
        request: Verification,
    ) -> Result<rest::Verdict, Problem> {
        self.ask(
            Some(caller),
            Pace::Long,
            || Call::verify(&request),
            |desk| {
                let caller = caller.clone();
                let request = request.clone();
                async move { desk.verdict(&caller, request).await }.boxed()
            },
        )
        .await
    }

    async fn verify_batch(
        &self,
        caller: &Caller,
        batch: BatchVerification,
    ) -> Result<Vec<rest::Verdict>, Problem> {
        self.ask(
            Some(caller),
            Pace::Long,
            || Call::verify_batch(&batch),
            |desk| {
                let (caller, batch) = (caller.clone(), batch.clone());
                async move { desk.verdicts(&caller, batch).await }.boxed()
            },
        )
        .await
    }

    async fn receipt(&self, caller: &Caller, task: TaskId) -> Result<Value, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Receipt { task },
            |desk| {
                let caller = caller.clone();
                async move { desk.receipt_of(&caller, task).await }.boxed()
            },
        )
        .await
    }

    async fn log(&self, caller: &Caller, read: LogRead) -> Result<Blob, Problem> {
        let call = Call::Log(read.clone().into());
        let call = &call;
        self.until_answered(
            Some(caller),
            Pace::Prompt,
            |address, left| async move { self.remote.fetch(&address, caller, call, left).await },
            |desk| {
                let (caller, read) = (caller.clone(), read.clone());
                async move { desk.log_read(&caller, read).await }.boxed()
            },
        )
        .await
    }

    async fn verifying_keys(&self, caller: &Caller) -> Result<rest::VerifyingKeyList, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::VerifyingKeys,
            |desk| {
                let caller = caller.clone();
                async move { desk.list_verifying_keys(&caller).await }.boxed()
            },
        )
        .await
    }

    async fn verifying_key(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<rest::VerifyingKey, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::VerifyingKey {
                name: name.to_owned(),
            },
            |desk| {
                let caller = caller.clone();
                let name = name.to_owned();
                async move { desk.show_verifying_key(&caller, &name).await }.boxed()
            },
        )
        .await
    }

    async fn publish_verifying_key(
        &self,
        caller: &Caller,
        name: &str,
        circuit: CircuitId,
    ) -> Result<rest::VerifyingKey, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::PublishVerifyingKey {
                name: name.to_owned(),
                circuit,
            },
            |desk| {
                let caller = caller.clone();
                let name = name.to_owned();
                async move { desk.publish_verifying_key(&caller, &name, circuit).await }.boxed()
            },
        )
        .await
    }

    async fn circuit_key(
        &self,
        caller: &Caller,
        circuit: CircuitId,
    ) -> Result<rest::CircuitKey, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::CircuitKey { circuit },
            |desk| {
                let caller = caller.clone();
                async move { desk.show_circuit_key(&caller, circuit).await }.boxed()
            },
        )
        .await
    }

    async fn revoke_verifying_key(
        &self,
        caller: &Caller,
        circuit: CircuitId,
        reason: String,
    ) -> Result<rest::CircuitKey, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::RevokeVerifyingKey {
                circuit,
                reason: reason.clone(),
            },
            |desk| {
                let caller = caller.clone();
                let reason = reason.clone();
                async move { desk.revoke_verifying_key(&caller, circuit, reason).await }.boxed()
            },
        )
        .await
    }

    async fn workers(&self, caller: &Caller) -> Result<rest::WorkerList, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::Workers,
            |desk| {
                let caller = caller.clone();
                async move { desk.list_workers(&caller).await }.boxed()
            },
        )
        .await
    }

    async fn trust_worker(
        &self,
        caller: &Caller,
        worker: WorkerId,
    ) -> Result<rest::WorkerList, Problem> {
        self.ask(
            Some(caller),
            Pace::Prompt,
            || Call::TrustWorker {
                worker: worker.clone(),
            },
            |desk| {
                let caller = caller.clone();
                let worker = worker.clone();
                async move { desk.trust_worker(&caller, worker).await }.boxed()
            },
        )
        .await
    }

    async fn health(&self) -> rest::Health {
        let heard = self.heard().await;
        health::of(self.local(), &heard, self.hot.state().await).await
    }
}

/// Reads a component, which the gateway has bounded; what breaks off is the gateway's to explain.
async fn read_whole(component: Component) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    // One more than allowed, so that the desk sees that it is too large.
    let mut reader = component.into_reader().take(COMPONENT_BYTES_MAX + 1);
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => Ok(bytes.into()),
        Err(_) => Err(Problem::new(
            codes::request::BODY,
            format!("the upload broke off after {} bytes", bytes.len()),
        )),
    }
}
