//! Plugins: upload, list, show, share, retire.

use std::collections::BTreeSet;
use std::time::Duration;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Caller, Component};
use aureole_ledger::limits::SHARED_WITH_MAX;
use aureole_ledger::{Command, Digest, PluginRecord, PluginState, Role, TenantId, Visibility};
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::{Desk, blocking, storage};
use crate::ids;

/// Largest component: the limit of the runtime's pre-scan, which names it too.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 8 << 20;

// === impl Desk ===

impl Desk {
    /// Registers a component for inspection and says whether it is new. Only what is admitted is
    /// stored; what the ledger refuses after that is left to the collector: the depot is shared by
    /// content, so the same bytes may be somebody's circuit or proof.
    pub(crate) async fn upload(
        &self,
        caller: &Caller,
        component: Component,
    ) -> Result<(rest::Plugin, bool), Problem> {
        let signature = component.signature().cloned();
        let content = whole(component).await?;
        let bytes = content.len() as u64;
        let (digest, content) = blocking(move || (Digest::of(&content), content)).await?;
        let (known, new) = self.coordinator.read(|state| {
            let plugin = state.plugin(&digest);
            let held = plugin.is_some_and(|plugin| plugin.holders.contains_key(&caller.tenant));
            (plugin.is_some(), !held)
        });
        let signer = self.signers.admit(&digest, signature.as_ref())?;
        if !known {
            scan(content.clone()).await?;
        }
        self.depot
            .put(content)
            .await
            .map_err(|error| self.not_stored(&error, "the component cannot be stored"))?;
        let task = ids::task_id().map_err(|error| storage(&error, "no randomness for an id"))?;
        let command = Command::RegisterPlugin {
            component: digest,
            bytes,
            task,
            now: self.coordinator.now(),
            tenant: caller.tenant.clone(),
        };
        // The record shown below says what came of it.
        let _ = self.propose(command).await?;
        if let Some(signer) = signer {
            // The record shown below says what came of it.
            let component = digest;
            let _ = self
                .propose(Command::SignPlugin { component, signer })
                .await?;
        }
        let record = self.plugin_record(caller, &rest::PluginRef::Digest(*digest.as_bytes()))?;
        Ok((self.plugin_view(caller, &record, true).await?, new))
    }

    /// All plugins by name and version, without their schemas.
    pub(crate) async fn list_plugins(&self, caller: &Caller) -> Result<rest::PluginList, Problem> {
        let records: Vec<PluginRecord> = self.coordinator.read(|state| {
            state
                .plugins()
                .filter(|plugin| sees(caller, plugin))
                .cloned()
                .collect()
        });
        let mut plugins = Vec::with_capacity(records.len());
        for record in &records {
            plugins.push(self.plugin_view(caller, record, false).await?);
        }
        plugins.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(rest::PluginList { plugins })
    }

    /// One plugin in full, after waiting for the end of its inspection.
    pub(crate) async fn show_plugin(
        &self,
        caller: &Caller,
        reference: &rest::PluginRef,
        wait: Duration,
    ) -> Result<rest::Plugin, Problem> {
        let mut record = self.plugin_record(caller, reference)?;
        if record.state == PluginState::Inspecting && !wait.is_zero() {
            self.coordinator
                .wait_task(record.task, |view| view.task.is_finished(), wait)
                .await;
            record = self.plugin_record(
                caller,
                &rest::PluginRef::Digest(*record.component.as_bytes()),
            )?;
        }
        self.plugin_view(caller, &record, true).await
    }

    /// Takes a version out of use: for the caller's tenant, and for everybody when nobody else
    /// uploaded the same bytes. An administrator whose tenant did not takes it out for everybody.
    pub(crate) async fn retire(
        &self,
        caller: &Caller,
        reference: &rest::PluginRef,
    ) -> Result<rest::Plugin, Problem> {
        let mut record = self.plugin_record(caller, reference)?;
        let held = record.holders.contains_key(&caller.tenant);
        if !held && caller.role != Role::Admin {
            return Err(not_yours(reference));
        }
        let component = record.component;
        // The record shown below says what came of it.
        let _ = self
            .propose(Command::RetirePlugin {
                component,
                now: self.coordinator.now(),
                tenant: held.then(|| caller.tenant.clone()),
                actor: caller.actor(),
            })
            .await?;
        tracing::info!(target: "audit", actor = %caller.credential, plugin = %component, "plugin retired");
        let now = self.coordinator.now();
        record = self
            .plugin_record(caller, &rest::PluginRef::Digest(*component.as_bytes()))
            .unwrap_or(record);
        if !record.holders.contains_key(&caller.tenant) && held {
            // Others go on with it.
            record.state = PluginState::Retired { at: now };
        }
        self.plugin_view(caller, &record, true).await
    }

    /// Says who may use the caller's plugin beside itself.
    pub(crate) async fn share(
        &self,
        caller: &Caller,
        reference: &rest::PluginRef,
        sharing: rest::Sharing,
    ) -> Result<rest::Plugin, Problem> {
        let record = self.plugin_record(caller, reference)?;
        if !record.holders.contains_key(&caller.tenant) {
            return Err(not_yours(reference));
        }
        if sharing == rest::Sharing::Public && caller.role != Role::Admin {
            let detail =
                "only an administrator publishes: everybody means the same by a public name";
            return Err(Problem::new(codes::access::FORBIDDEN, detail));
        }
        let visibility = match sharing {
            rest::Sharing::Private => Visibility::Private,
            rest::Sharing::Public => Visibility::Public,
            rest::Sharing::Shared { with } => Visibility::Shared(tenants(&with)?),
        };
        let component = record.component;
        // The record shown below says what came of it.
        let _ = self
            .propose(Command::SharePlugin {
                component,
                tenant: caller.tenant.clone(),
                visibility,
                actor: caller.actor(),
                now: self.coordinator.now(),
            })
            .await?;
        tracing::info!(target: "audit", actor = %caller.credential, plugin = %component, "plugin shared");
        let record = self.plugin_record(caller, &rest::PluginRef::Digest(*component.as_bytes()))?;
        self.plugin_view(caller, &record, true).await
    }

    /// The plugin that a caller means by a reference: by name alone, the newest that is ready, else
    /// the newest. What the caller may not know of is answered as if it were not there.
    pub(super) fn plugin_record(
        &self,
        caller: &Caller,
        reference: &rest::PluginRef,
    ) -> Result<PluginRecord, Problem> {
        let found = self.coordinator.read(|state| {
            let record = match reference {
                rest::PluginRef::Digest(bytes) => state.plugin(&Digest::from_bytes(*bytes)),
                rest::PluginRef::Name {
                    name,
                    version: Some(version),
                } => state.plugin_version(&caller.tenant, name, version),
                rest::PluginRef::Name {
                    name,
                    version: None,
                } => state.latest_plugin(&caller.tenant, name).or_else(|| {
                    state
                        .plugin_versions(&caller.tenant, name)
                        .into_iter()
                        .next()
                }),
            };
            record.filter(|plugin| sees(caller, plugin)).cloned()
        });
        found.ok_or_else(|| {
            let detail =
                format!("no plugin `{reference}` is here; upload it with POST /api/v1/plugins");
            Problem::new(codes::plugin::UNKNOWN, detail)
        })
    }
}

/// A component's bytes. The relay has them all before it asks the desk, so this takes no time.
async fn whole(component: Component) -> Result<Bytes, Problem> {
    let mut source = component.into_reader().take(COMPONENT_BYTES_MAX + 1);
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).await.map_err(|_| {
        let detail = format!("the upload broke off after {} bytes", bytes.len());
        Problem::new(codes::request::BODY, detail)
    })?;
    if bytes.len() as u64 > COMPONENT_BYTES_MAX {
        let detail = format!("the component has more than {COMPONENT_BYTES_MAX} bytes");
        return Err(Problem::new(codes::plugin::TOO_LARGE, detail));
    }
    Ok(bytes.into())
}

/// Looks through a component without compiling it.
async fn scan(bytes: Bytes) -> Result<(), Problem> {
    let verdict =
        blocking(move || aureole_runtime::scan(&bytes, &aureole_runtime::Limits::default()))
            .await?;
    verdict.map_or_else(
        |error| Err(Problem::named(error.code(), error.to_string())),
        |_| Ok(()),
    )
}

/// Whether a caller may know of a plugin.
pub(super) fn sees(caller: &Caller, plugin: &PluginRecord) -> bool {
    caller.role == Role::Admin || plugin.is_visible_to(&caller.tenant)
}

fn not_yours(reference: &rest::PluginRef) -> Problem {
    let detail = format!("{reference} was uploaded by another tenant, which shares it with yours");
    Problem::new(codes::plugin::NOT_YOURS, detail)
}

fn tenants(names: &[String]) -> Result<BTreeSet<TenantId>, Problem> {
    let each = names.iter().enumerate().map(|(index, name)| {
        name.parse().map_err(|error| {
            Problem::new(codes::request::ID, format!("{error}")).at(format!("/with/{index}"))
        })
    });
    let tenants: BTreeSet<TenantId> = each.collect::<Result<_, _>>()?;
    if tenants.is_empty() || tenants.len() > SHARED_WITH_MAX {
        let detail = format!("a plugin is shared with 1 to {SHARED_WITH_MAX} tenants");
        return Err(Problem::new(codes::access::TENANT_FIELD, detail).at("/with"));
    }
    Ok(tenants)
}
