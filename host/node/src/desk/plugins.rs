//! Plugins: upload, list, show, retire.

use std::time::Duration;

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Caller, Component};
use aureole_ledger::{Command, Digest, Outcome, PluginRecord, PluginState, Signer};

use super::{Desk, blocking, storage};
use crate::ids;

/// Largest component: the limit of the runtime's pre-scan, which names it too.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 8 << 20;

// === impl Desk ===

impl Desk {
    /// Stores a component and registers it for inspection. Says whether it is new. What is refused
    /// leaves nothing behind.
    pub(crate) async fn upload(
        &self,
        caller: &Caller,
        component: Component,
    ) -> Result<(rest::Plugin, bool), Problem> {
        let signature = component.signature().cloned();
        let (digest, bytes) = self
            .depot
            .put_stream(Box::pin(component.into_reader()), COMPONENT_BYTES_MAX)
            .await
            .map_err(|error| self.upload_failed(&error))?;
        let known = self
            .coordinator
            .read(|state| state.plugin(&digest).is_some());
        let signer = match self.admit(&digest, known, signature.as_ref()).await {
            Ok(signer) => signer,
            Err(problem) => {
                if !known && let Err(error) = self.depot.remove(&digest).await {
                    tracing::warn!(%digest, %error, "a refused component stays in the depot");
                }
                return Err(problem);
            }
        };
        let task = ids::task_id().map_err(|error| storage(&error, "no randomness for an id"))?;
        let command = Command::RegisterPlugin {
            component: digest,
            bytes,
            task,
            now: self.coordinator.now(),
            tenant: caller.tenant.clone(),
        };
        let Outcome::PluginRegistered { created, .. } = self.propose(command).await? else {
            return Err(Problem::new(
                codes::node::INTERNAL,
                "the ledger answered another command",
            ));
        };
        if let Some(signer) = signer {
            // The record shown below says what came of it.
            let component = digest;
            let _ = self
                .propose(Command::SignPlugin { component, signer })
                .await?;
        }
        let record = self.plugin_record(&rest::PluginRef::Digest(*digest.as_bytes()))?;
        Ok((self.plugin_view(&record, true).await?, created))
    }

    /// Says whether a component may be registered: its signer is accepted, and it can be a plugin.
    async fn admit(
        &self,
        digest: &Digest,
        known: bool,
        signature: Option<&rest::ComponentSignature>,
    ) -> Result<Option<Signer>, Problem> {
        let signer = self.signers.admit(digest, signature)?;
        if !known {
            self.scan(digest).await?;
        }
        Ok(signer)
    }

    /// Looks through a component without compiling it.
    async fn scan(&self, digest: &Digest) -> Result<(), Problem> {
        let bytes = self
            .depot
            .get(digest, COMPONENT_BYTES_MAX)
            .await
            .map_err(|error| storage(&error, "the uploaded component cannot be read"))?;
        let verdict =
            blocking(move || aureole_runtime::scan(&bytes, &aureole_runtime::Limits::default()))
                .await?;
        verdict.map_or_else(
            |error| Err(Problem::named(error.code(), error.to_string())),
            |_| Ok(()),
        )
    }

    /// All plugins by name and version, without their schemas.
    pub(crate) async fn list_plugins(&self, _caller: &Caller) -> Result<rest::PluginList, Problem> {
        let records: Vec<PluginRecord> = self
            .coordinator
            .read(|state| state.plugins().cloned().collect());
        let mut plugins = Vec::with_capacity(records.len());
        for record in &records {
            plugins.push(self.plugin_view(record, false).await?);
        }
        plugins.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(rest::PluginList { plugins })
    }

    /// One plugin in full, after waiting for the end of its inspection.
    pub(crate) async fn show_plugin(
        &self,
        _caller: &Caller,
        reference: &rest::PluginRef,
        wait: Duration,
    ) -> Result<rest::Plugin, Problem> {
        let mut record = self.plugin_record(reference)?;
        if record.state == PluginState::Inspecting && !wait.is_zero() {
            self.coordinator
                .wait_task(record.task, |view| view.task.is_finished(), wait)
                .await;
            record = self.plugin_record(&rest::PluginRef::Digest(*record.component.as_bytes()))?;
        }
        self.plugin_view(&record, true).await
    }

    /// Takes a version out of use.
    pub(crate) async fn retire(
        &self,
        _caller: &Caller,
        reference: &rest::PluginRef,
    ) -> Result<rest::Plugin, Problem> {
        let component = self.plugin_record(reference)?.component;
        // The record shown below says what came of it.
        let _ = self
            .propose(Command::RetirePlugin {
                component,
                now: self.coordinator.now(),
            })
            .await?;
        let record = self.plugin_record(&rest::PluginRef::Digest(*component.as_bytes()))?;
        self.plugin_view(&record, true).await
    }

    /// The plugin that a reference means: by name alone, the newest that is ready, else the
    /// newest.
    pub(super) fn plugin_record(
        &self,
        reference: &rest::PluginRef,
    ) -> Result<PluginRecord, Problem> {
        let found = self.coordinator.read(|state| {
            let record = match reference {
                rest::PluginRef::Digest(bytes) => state.plugin(&Digest::from_bytes(*bytes)),
                rest::PluginRef::Name {
                    name,
                    version: Some(version),
                } => state.plugin_version(name, version),
                rest::PluginRef::Name {
                    name,
                    version: None,
                } => state
                    .latest_plugin(name)
                    .or_else(|| state.plugin_versions(name).into_iter().next()),
            };
            record.cloned()
        });
        found.ok_or_else(|| {
            let detail =
                format!("no plugin `{reference}` is here; upload it with POST /api/v1/plugins");
            Problem::new(codes::plugin::UNKNOWN, detail)
        })
    }

    fn upload_failed(&self, error: &aureole_store::DepotError) -> Problem {
        match error {
            aureole_store::DepotError::TooLarge { max } => Problem::new(
                codes::plugin::TOO_LARGE,
                format!("the component has more than {max} bytes"),
            ),
            aureole_store::DepotError::Source { bytes, .. } => Problem::new(
                codes::request::BODY,
                format!("the upload broke off after {bytes} bytes"),
            ),
            _ => self.not_stored(error, "the component cannot be stored"),
        }
    }
}
