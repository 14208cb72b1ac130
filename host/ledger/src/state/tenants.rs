//! What the facts say of tenants, keys, plugins' holders and the trail.

use std::collections::BTreeMap;

use super::State;
use crate::plugin::compare_versions;
use crate::{
    AuditEntry, Digest, Holdings, KeyId, KeyRecord, PluginRecord, PluginState, Share, TenantId,
    TenantRecord, Usage,
};

/// Component by name and version.
pub(crate) type Names = BTreeMap<String, BTreeMap<String, Digest>>;

// === impl State ===

impl State {
    /// Returns a tenant; who was never written down has the default weight and no quotas.
    pub fn tenant(&self, id: &TenantId) -> TenantRecord {
        self.facts().tenants.get(id).copied().unwrap_or_default()
    }

    /// Says whether a tenant is there: it was made, or is the one that always is.
    pub fn has_tenant(&self, id: &TenantId) -> bool {
        *id == TenantId::default() || self.facts().tenants.contains_key(id)
    }

    /// Returns every tenant that was written down, by name.
    pub fn tenants(&self) -> impl Iterator<Item = (&TenantId, &TenantRecord)> {
        self.facts().tenants.iter()
    }

    /// Returns a key.
    pub fn key(&self, id: &KeyId) -> Option<&KeyRecord> {
        self.facts().keys.get(id)
    }

    /// Returns every key, in the order of their public parts.
    pub fn keys(&self) -> impl Iterator<Item = &KeyRecord> {
        self.facts().keys.values()
    }

    /// Returns the newest administrative acts, newest first.
    pub fn audit(&self) -> impl Iterator<Item = &AuditEntry> {
        self.facts().trail.newest()
    }

    /// Returns the administrative acts that no archive has, oldest first.
    pub fn unarchived_acts(&self) -> impl Iterator<Item = &AuditEntry> {
        self.facts().trail.unarchived()
    }

    /// Returns what a tenant has used so far.
    pub fn usage(&self, tenant: &TenantId) -> Usage {
        self.facts().usage.get(tenant).copied().unwrap_or_default()
    }

    /// Returns the counters of a tenant that is there.
    pub(crate) fn usage_mut(&mut self, tenant: &TenantId) -> Option<&mut Usage> {
        if !self.has_tenant(tenant) {
            return None;
        }
        Some(self.facts_mut().usage.entry(tenant.clone()).or_default())
    }

    /// Returns a tenant's share of the cluster.
    pub fn share(&self, tenant: &TenantId) -> Share {
        Share {
            weight: self.tenant(tenant).weight,
            finish: self.facts().shares.get(tenant).copied().unwrap_or(0),
        }
    }

    /// Returns what a tenant has here at this moment.
    pub fn holdings(&self, tenant: &TenantId) -> Holdings {
        let (live_tasks, queued_bytes) = self.live_of(tenant);
        Holdings {
            live_tasks,
            queued_bytes,
            running: self.running_of(tenant),
            plugins: self.held(tenant).count() as u64,
            stored_bytes: self.stored_bytes_of(tenant),
        }
    }

    /// Returns the bytes of a tenant's components; those of retired plugins are nobody's.
    pub(crate) fn stored_bytes_of(&self, tenant: &TenantId) -> u64 {
        let stored = self.held(tenant).filter(|plugin| !plugin.is_retired());
        stored.map(|plugin| plugin.bytes).sum()
    }

    pub(crate) fn held(&self, tenant: &TenantId) -> impl Iterator<Item = &PluginRecord> {
        self.plugins()
            .filter(move |plugin| plugin.holders.contains_key(tenant))
    }

    /// Returns the plugin that a tenant means by a name and version: its own, else a public one,
    /// else one that was shared with it. Whatever its state.
    pub fn plugin_version(
        &self,
        tenant: &TenantId,
        name: &str,
        version: &str,
    ) -> Option<&PluginRecord> {
        let facts = self.facts();
        let of = |names: &Names| {
            let plugin = self.plugin(names.get(name)?.get(version)?)?;
            plugin.is_visible_to(tenant).then_some(plugin)
        };
        let named = facts.names.get(tenant).and_then(of);
        named.or_else(|| of(&facts.public)).or_else(|| {
            let is_meant = |plugin: &&PluginRecord| {
                let facts = plugin.facts.as_ref();
                facts.is_some_and(|facts| facts.version == version)
            };
            self.offered(tenant, name).into_iter().find(is_meant)
        })
    }

    /// Returns every version of a plugin that a tenant means by a name, newest first by semantic
    /// version: of its own, else of the public ones, else of those that were shared with it.
    pub fn plugin_versions(&self, tenant: &TenantId, name: &str) -> Vec<&PluginRecord> {
        let facts = self.facts();
        let of = |names: &Names| -> Vec<&PluginRecord> {
            let versions = names.get(name).into_iter().flat_map(BTreeMap::values);
            versions
                .filter_map(|component| self.plugin(component))
                .filter(|plugin| plugin.is_visible_to(tenant))
                .collect()
        };
        let mut versions = facts.names.get(tenant).map(of).unwrap_or_default();
        if versions.is_empty() {
            versions = of(&facts.public);
        }
        if versions.is_empty() {
            versions = self.offered(tenant, name);
        }
        newest_first(versions)
    }

    /// Returns the newest ready version of what a tenant means by a name.
    pub fn latest_plugin(&self, tenant: &TenantId, name: &str) -> Option<&PluginRecord> {
        self.plugin_versions(tenant, name)
            .into_iter()
            .find(|plugin| plugin.state == PluginState::Ready)
    }

    /// Returns what others share with a tenant under a name. It costs a look at every plugin, and is
    /// the last place that is looked in.
    fn offered(&self, tenant: &TenantId, name: &str) -> Vec<&PluginRecord> {
        let is_offered = |plugin: &&PluginRecord| {
            let named = plugin
                .facts
                .as_ref()
                .is_some_and(|facts| facts.name == name);
            named && !plugin.holders.contains_key(tenant) && plugin.is_visible_to(tenant)
        };
        self.plugins().filter(is_offered).collect()
    }
}

fn newest_first(mut plugins: Vec<&PluginRecord>) -> Vec<&PluginRecord> {
    let version = |plugin: &PluginRecord| {
        let facts = plugin.facts.as_ref();
        facts.map(|facts| facts.version.clone()).unwrap_or_default()
    };
    plugins.sort_by(|a, b| compare_versions(&version(b), &version(a)));
    plugins
}
