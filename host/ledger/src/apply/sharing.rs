//! Who holds a plugin, who else may use it, and its end.
//!
//! A component is one plugin however many tenants upload it: each holds it for itself, shares it for
//! itself, and one that has no more use for it leaves it to the others.

use std::collections::BTreeMap;

use super::tenants::check_actor;
use super::{Step, within};
use crate::audit::Act;
use crate::limits::SHARED_WITH_MAX;
use crate::{
    Digest, Millis, Outcome, PluginState, Problem, Refusal, State, TaskState, TenantId, Visibility,
    codes,
};

// === impl State ===

impl State {
    /// Adds a tenant to those who hold a plugin, for itself, in place of some that it held.
    pub(super) fn hold(
        &mut self,
        component: &Digest,
        tenant: &TenantId,
        idle: &[Digest],
    ) -> Result<(), Refusal> {
        let plugin = self
            .plugin(component)
            .ok_or(Refusal::UnknownPlugin(*component))?;
        if plugin.holders.contains_key(tenant) {
            return Ok(());
        }
        if let Some(facts) = plugin.facts.clone() {
            let label = (facts.name.as_str(), facts.version.as_str());
            if self.claim_name(tenant, label, *component) != *component {
                return Err(Refusal::VersionTaken {
                    name: facts.name,
                    version: facts.version,
                });
            }
        }
        self.leave_plugins(idle, tenant);
        if let Some(plugin) = self.plugin_mut(component) {
            plugin.holders.insert(tenant.clone(), Visibility::Private);
        }
        Ok(())
    }

    /// Takes a tenant from those who hold plugins; one that nobody holds is forgotten.
    pub(super) fn leave_plugins(&mut self, plugins: &[Digest], tenant: &TenantId) {
        for component in plugins {
            let Some(plugin) = self.plugin_mut(component) else {
                continue;
            };
            plugin.holders.remove(tenant);
            if plugin.holders.is_empty() {
                self.facts_mut().plugins.remove(component);
            }
        }
    }

    /// Makes a plugin's name that of each holder's, and takes it from holders who have other bytes
    /// under it.
    ///
    /// # Errors
    /// The bytes that one of them has, when all have others.
    pub(super) fn claim_for_holders(
        &mut self,
        component: Digest,
        label: (&str, &str),
    ) -> Result<(), Digest> {
        let holders = self.plugin(&component).map(|plugin| plugin.holders.clone());
        let mut left = BTreeMap::new();
        let mut other = component;
        for (tenant, visibility) in holders.unwrap_or_default() {
            let owner = self.claim_name(&tenant, label, component);
            if owner == component {
                left.insert(tenant, visibility);
            } else {
                other = owner;
            }
        }
        if left.is_empty() {
            return Err(other);
        }
        if let Some(plugin) = self.plugin_mut(&component) {
            plugin.holders = left;
        }
        Ok(())
    }

    pub(super) fn share_plugin(
        &mut self,
        component: &Digest,
        tenant: &TenantId,
        visibility: &Visibility,
        actor: &str,
        now: Millis,
    ) -> Step {
        check_actor(actor)?;
        let unknown = Refusal::UnknownPlugin(*component);
        let Some(plugin) = self.plugin(component) else {
            return Err(unknown);
        };
        let Some(before) = plugin.holders.get(tenant) else {
            return Err(unknown);
        };
        if before == visibility {
            return Ok(Outcome::PluginShared);
        }
        if *visibility != Visibility::Private {
            self.check_usable(component, tenant)?;
        }
        if let Visibility::Shared(with) = visibility {
            let count = with.len() as u64;
            within(
                "tenants that a plugin is shared with",
                count,
                SHARED_WITH_MAX as u64,
            )?;
            if let Some(unknown) = with.iter().find(|with| !self.has_tenant(with)) {
                return Err(Refusal::UnknownTenant(unknown.clone()));
            }
        }
        if *visibility == Visibility::Public {
            self.claim_public(component)?;
        }
        if let Some(shown) = self
            .plugin_mut(component)
            .and_then(|plugin| plugin.holders.get_mut(tenant))
        {
            shown.clone_from(visibility);
        }
        self.release_public(component);
        let act = Act::PluginShared {
            component: *component,
            visibility: visibility.clone(),
        };
        self.facts_mut().trail.add(now, actor, tenant.clone(), act);
        Ok(Outcome::PluginShared)
    }

    /// Takes the public name of a plugin for it.
    fn claim_public(&mut self, component: &Digest) -> Result<(), Refusal> {
        let facts = self
            .plugin(component)
            .and_then(|plugin| plugin.facts.clone());
        let facts = facts.ok_or(Refusal::PluginInspecting(*component))?;
        let versions = self
            .facts_mut()
            .public
            .entry(facts.name.clone())
            .or_default();
        let owner = versions.entry(facts.version.clone()).or_insert(*component);
        if owner == component {
            return Ok(());
        }
        Err(Refusal::PublicNameTaken {
            name: facts.name,
            version: facts.version,
        })
    }

    /// Gives the public name of a plugin back that is public no more.
    fn release_public(&mut self, component: &Digest) {
        let Some(plugin) = self.plugin(component).filter(|plugin| !plugin.is_public()) else {
            return;
        };
        let Some(name) = plugin.facts.as_ref().map(|facts| facts.name.clone()) else {
            return;
        };
        let public = &mut self.facts_mut().public;
        if let Some(versions) = public.get_mut(&name) {
            versions.retain(|_, owner| owner != component);
            if versions.is_empty() {
                public.remove(&name);
            }
        }
    }

    pub(super) fn retire_plugin(
        &mut self,
        component: &Digest,
        tenant: Option<&TenantId>,
        actor: &str,
        now: Millis,
    ) -> Step {
        check_actor(actor)?;
        let unknown = Refusal::UnknownPlugin(*component);
        let Some(plugin) = self.plugin(component) else {
            return Err(unknown);
        };
        if tenant.is_some_and(|tenant| !plugin.holders.contains_key(tenant)) {
            return Err(unknown);
        }
        if matches!(plugin.state, PluginState::Retired { .. }) {
            return Ok(Outcome::PluginRetired { stop: Vec::new() });
        }
        let (holders, inspection) = (plugin.holders.clone(), plugin.task);
        let concerned = tenant.or_else(|| holders.keys().next()).cloned();
        let act = Act::PluginRetired {
            component: *component,
        };
        let concerned = concerned.unwrap_or_default();
        self.facts_mut().trail.add(now, actor, concerned, act);
        if let Some(tenant) = tenant.filter(|_| holders.len() > 1) {
            if let Some(plugin) = self.plugin_mut(component) {
                plugin.holders.remove(tenant);
            }
            self.release_public(component);
            return Ok(Outcome::PluginRetired { stop: Vec::new() });
        }
        if let Some(plugin) = self.plugin_mut(component) {
            plugin.state = PluginState::Retired { at: now };
            for visibility in plugin.holders.values_mut() {
                *visibility = Visibility::Private;
            }
        }
        self.release_public(component);
        let Some(task) = self.task(&inspection).filter(|task| !task.is_finished()) else {
            return Ok(Outcome::PluginRetired { stop: Vec::new() });
        };
        let stop = task.running();
        let problem = Problem::new(codes::PLUGIN_RETIRED, "the plugin was retired");
        self.finish_task(&inspection, TaskState::Failed(problem), now);
        Ok(Outcome::PluginRetired { stop })
    }
}
