//! Plugins: registering, and what an inspection's end does.

use super::{Step, within};
use crate::limits::{COMPONENT_BYTES_MAX, PLUGINS_MAX, TASKS_MAX};
use crate::plugin::{is_name, is_version};
use crate::task::new_task;
use crate::{
    CircuitFacts, CircuitId, CircuitRecord, CircuitState, Digest, Measured, Millis, Outcome,
    PluginFacts, PluginRecord, PluginState, Problem, Refusal, Signer, State, TaskId, TaskKind,
    TenantId, codes,
};

/// What an inspection found, as it stands in `Completion::PluginInspected`.
pub(super) struct Inspection<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) description: Digest,
    pub(super) default_params: Option<Digest>,
    pub(super) default_circuit: Option<CircuitFacts>,
}

// === impl State ===

impl State {
    pub(super) fn register_plugin(
        &mut self,
        component: Digest,
        bytes: u64,
        task: TaskId,
        tenant: &TenantId,
        now: Millis,
    ) -> Step {
        self.check_active(tenant)?;
        let known = self.plugin(&component).cloned();
        let holders = known.as_ref().map(|plugin| plugin.holders.clone());
        let mut holders = holders.unwrap_or_default();
        let idle = self.check_plugin_room(known.as_ref(), bytes, tenant)?;
        let inspected = known.as_ref().is_some_and(|plugin| plugin.facts.is_some());
        match known.as_ref().map(|plugin| (plugin.task, &plugin.state)) {
            Some((task, PluginState::Inspecting | PluginState::Ready)) => {
                self.hold(&component, tenant, &idle)?;
                return Ok(Outcome::PluginRegistered {
                    task,
                    created: false,
                });
            }
            // A retired plugin that was inspected comes back as it was, for whom it belongs to now.
            Some((task, PluginState::Retired { .. })) if inspected => {
                self.hold(&component, tenant, &idle)?;
                if let Some(plugin) = self.plugin_mut(&component) {
                    plugin.state = PluginState::Ready;
                    plugin.holders.retain(|holder, _| holder == tenant);
                }
                return Ok(Outcome::PluginRegistered {
                    task,
                    created: false,
                });
            }
            // The inspection may end differently now: limits are raised, crashes have causes.
            Some((_, PluginState::Rejected(_) | PluginState::Retired { .. })) => {}
            None => {
                let left = self.plugin_count().saturating_sub(idle.len() as u64);
                within("plugins", left + 1, PLUGINS_MAX)?;
                within("bytes of a component", bytes, COMPONENT_BYTES_MAX)?;
            }
        }
        self.check_fresh(task)?;
        self.check_task_quotas(tenant, 0, now)?;
        self.leave_plugins(&idle, tenant);
        holders.entry(tenant.clone()).or_default();
        let known = known.as_ref();
        self.insert_plugin(PluginRecord {
            component,
            bytes,
            registered_at: known.map_or(now, |plugin| plugin.registered_at),
            task,
            state: PluginState::Inspecting,
            facts: known.and_then(|plugin| plugin.facts.clone()),
            signer: known.and_then(|plugin| plugin.signer),
            holders,
        });
        let kind = TaskKind::InspectPlugin { plugin: component };
        self.insert_task(new_task(task, kind, tenant.clone(), now));
        Ok(Outcome::PluginRegistered {
            task,
            created: true,
        })
    }

    /// Refuses the id of a known task, and a task too many.
    pub(super) fn check_fresh(&self, task: TaskId) -> Result<(), Refusal> {
        if self.task(&task).is_some() {
            return Err(Refusal::TaskExists(task));
        }
        within("live tasks", self.task_count() + 1, TASKS_MAX)
    }

    /// Makes a plugin ready, or says why it is rejected after all: its name is malformed, or taken
    /// by other bytes.
    pub(super) fn finish_inspection(
        &mut self,
        component: Digest,
        inspection: &Inspection<'_>,
        now: Millis,
    ) -> Result<(), Problem> {
        let Inspection {
            name,
            version,
            description,
            default_params,
            default_circuit,
        } = *inspection;
        if !is_name(name) {
            let detail = "the plugin's name must have 1 to 63 of the characters a-z 0-9 -";
            return Err(Problem::new(codes::PLUGIN_NAME, detail));
        }
        if !is_version(version) {
            let detail = "the plugin's version must be a semantic version of at most 64 bytes";
            return Err(Problem::new(codes::PLUGIN_VERSION, detail));
        }
        if let Err(owner) = self.claim_for_holders(component, (name, version)) {
            let detail = format!(
                "{name} {version} is the plugin {owner} already; \
                 give the changed plugin another version"
            );
            return Err(Problem::new(codes::VERSION_IMMUTABLE, detail));
        }
        let holders = self.plugin(&component).map(|plugin| &plugin.holders);
        let owner = holders.and_then(|holders| holders.keys().next().cloned());
        let owner = owner.unwrap_or_default();
        let circuit = default_params.zip(default_circuit).map(|(params, facts)| {
            let id = CircuitId::of(&component, &params);
            let state = CircuitState::Ready(facts);
            // Facts of a circuit never change once they are known: proofs were verified by them.
            if self.ready_circuit(&id).is_none() {
                self.insert_circuit(CircuitRecord {
                    id,
                    plugin: component,
                    params,
                    task: None,
                    registered_at: now,
                    state,
                    measured: Measured::default(),
                    tenant: owner.clone(),
                });
            }
            id
        });
        if let Some(plugin) = self.plugin_mut(&component) {
            plugin.state = PluginState::Ready;
            plugin.facts = Some(PluginFacts {
                name: name.to_owned(),
                version: version.to_owned(),
                description,
                default_params,
                default_circuit: circuit,
            });
        }
        Ok(())
    }

    /// Rejects a plugin whose inspection failed, unless it was retired in the meantime.
    pub(super) fn reject_plugin(&mut self, component: &Digest, problem: &Problem) {
        if let Some(plugin) = self.plugin_mut(component)
            && plugin.state == PluginState::Inspecting
        {
            plugin.state = PluginState::Rejected(problem.clone());
        }
    }

    /// Notes a plugin's signer, unless it has one.
    pub(super) fn sign_plugin(&mut self, component: &Digest, signer: Signer) -> Step {
        let plugin = self
            .plugin_mut(component)
            .ok_or(Refusal::UnknownPlugin(*component))?;
        plugin.signer.get_or_insert(signer);
        Ok(Outcome::PluginSigned)
    }
}
