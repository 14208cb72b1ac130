//! Callers, tenants, keys and the trail: what the ledger knows of them, and what is changed there.

use aureole_api::{Problem, codes, rest};
use aureole_gateway::{Administered, Administration, Caller, Credential, KeyHash, unauthenticated};
use aureole_ledger::limits::{LABEL_BYTES_MAX, WEIGHT_MAX};
use aureole_ledger::{
    Act, AuditEntry, Command, KeyRecord, Millis, Quotas, Role, State, TenantId, TenantRecord,
    Visibility,
};

use super::{Desk, storage};

// === impl Desk ===

impl Desk {
    /// Who a key's holder is; nobody when it opens nothing.
    pub(crate) fn holder(&self, key: &KeyHash) -> Option<Caller> {
        let now = self.coordinator.now();
        self.coordinator.read(|state| holder(state, key, now))
    }

    /// Whether the ledger has a key of this public part. A member that lags behind may not yet.
    pub(crate) fn knows(&self, key: &KeyHash) -> bool {
        self.coordinator.read(|state| state.key(&key.id).is_some())
    }

    /// Looks at a caller again: what was revoked or suspended since it was let in does nothing more.
    pub(crate) fn recognise(&self, caller: &Caller) -> Result<(), Problem> {
        let now = self.coordinator.now();
        let known = self.coordinator.read(|state| {
            let key = match &caller.credential {
                Credential::Key(id) => state.key(id).is_some_and(|key| {
                    key.is_alive(now) && key.tenant == caller.tenant && key.role == caller.role
                }),
                Credential::Bootstrap(_) | Credential::Token(_) => true,
            };
            key && state.has_tenant(&caller.tenant) && !state.tenant(&caller.tenant).suspended
        });
        if known {
            Ok(())
        } else {
            Err(unauthenticated())
        }
    }

    /// Says who the caller is and what its tenant has.
    pub(crate) fn introduce(&self, caller: &Caller) -> rest::Me {
        rest::Me {
            tenant: caller.tenant.to_string(),
            role: role(caller.role),
            credential: caller.credential.to_string(),
            usage: self.usage_of(&caller.tenant),
        }
    }

    /// Does an administrator's act. The gateway's table of routes lets nobody else ask, but for the
    /// trail, of which an auditor sees its tenant's part.
    pub(crate) async fn administer(
        &self,
        caller: &Caller,
        asked: Administration,
    ) -> Result<Administered, Problem> {
        let is_trail = matches!(asked, Administration::Audit { .. });
        if caller.role != Role::Admin && !(is_trail && caller.role == Role::Auditor) {
            return Err(Problem::new(codes::access::FORBIDDEN, "an administrator's"));
        }
        Ok(match asked {
            Administration::Tenants => Administered::Tenants(self.tenants()),
            Administration::Tenant(tenant) => Administered::Tenant(self.tenant(&tenant)?),
            Administration::PutTenant { tenant, change } => {
                Administered::Tenant(self.put_tenant(caller, tenant, change).await?)
            }
            Administration::Usage(tenant) => {
                self.tenant(&tenant)?;
                Administered::Usage(self.usage_of(&tenant))
            }
            Administration::Keys { tenant } => Administered::Keys(self.keys(tenant.as_ref())),
            Administration::CreateKey {
                key,
                tenant,
                role,
                label,
                expires_at,
            } => {
                let record = KeyRecord {
                    id: key.id,
                    secret: key.secret,
                    tenant,
                    role: ledger_role(role),
                    label,
                    created_at: self.coordinator.now(),
                    expires_at,
                    revoked_at: None,
                };
                Administered::Key(self.create_key(caller, record).await?)
            }
            Administration::RevokeKey(key) => {
                let command = Command::RevokeKey {
                    key,
                    actor: caller.actor(),
                    now: self.coordinator.now(),
                };
                // The record shown below says what came of it.
                let _ = self.propose(command).await?;
                tracing::info!(target: "audit", actor = %caller.credential, %key, "key revoked");
                let record = self.coordinator.read(|state| state.key(&key).map(key_view));
                let gone = || Problem::new(codes::access::KEY_UNKNOWN, "the key was forgotten");
                Administered::Key(record.ok_or_else(gone)?)
            }
            Administration::Audit { before, limit } => {
                Administered::Audit(self.trail(caller, before, limit).await?)
            }
        })
    }

    fn tenants(&self) -> rest::TenantList {
        self.coordinator.read(|state| {
            let default = TenantId::default();
            let mut tenants: Vec<rest::Tenant> = state
                .tenants()
                .map(|(id, record)| tenant_view(id, record))
                .collect();
            if !tenants.iter().any(|tenant| tenant.id == default.as_str()) {
                tenants.insert(0, tenant_view(&default, &state.tenant(&default)));
            }
            rest::TenantList { tenants }
        })
    }

    fn tenant(&self, id: &TenantId) -> Result<rest::Tenant, Problem> {
        let found = self.coordinator.read(|state| {
            let here = state.has_tenant(id);
            here.then(|| tenant_view(id, &state.tenant(id)))
        });
        let unknown = || {
            let detail =
                format!("no tenant {id} is here; make it with PUT /api/v1/admin/tenants/{id}");
            Problem::new(codes::access::TENANT_UNKNOWN, detail)
        };
        found.ok_or_else(unknown)
    }

    async fn put_tenant(
        &self,
        caller: &Caller,
        tenant: TenantId,
        change: rest::TenantRequest,
    ) -> Result<rest::Tenant, Problem> {
        if let Some(weight) = change.weight
            && !(1..=WEIGHT_MAX).contains(&weight)
        {
            let detail = format!("{weight} is no weight: 1 to {WEIGHT_MAX}");
            return Err(Problem::new(codes::access::TENANT_FIELD, detail).at("/weight"));
        }
        // What is absent the ledger fills in, when it applies the command.
        let command = Command::PutTenant {
            tenant: tenant.clone(),
            weight: change.weight,
            quotas: change.quotas.as_ref().map(ledger_quotas),
            suspended: change.suspended,
            actor: caller.actor(),
            now: self.coordinator.now(),
        };
        // The record shown below says what came of it.
        let _ = self.propose(command).await?;
        tracing::info!(target: "audit", actor = %caller.credential, %tenant, "tenant put");
        self.tenant(&tenant)
    }

    fn keys(&self, tenant: Option<&TenantId>) -> rest::KeyList {
        let keys = self.coordinator.read(|state| {
            let of = |key: &&KeyRecord| tenant.is_none_or(|tenant| key.tenant == *tenant);
            state.keys().filter(of).map(key_view).collect()
        });
        rest::KeyList { keys }
    }

    async fn create_key(&self, caller: &Caller, key: KeyRecord) -> Result<rest::Key, Problem> {
        let wrong =
            |detail: String, path| Err(Problem::new(codes::access::TENANT_FIELD, detail).at(path));
        if key.label.len() > LABEL_BYTES_MAX || key.label.chars().any(char::is_control) {
            let detail = format!("a label has at most {LABEL_BYTES_MAX} bytes of plain text");
            return wrong(detail, "/label");
        }
        if key.expires_at.is_some_and(|end| end <= key.created_at) {
            return wrong("the expiry has passed".to_owned(), "/expires_at");
        }
        // A try before this one may have got through, at an earlier moment.
        let known = self.coordinator.read(|state| state.key(&key.id).cloned());
        if known
            .as_ref()
            .is_some_and(|known| known.secret == key.secret)
        {
            return Ok(key_view(&known.unwrap_or(key)));
        }
        let view = key_view(&key);
        let (id, tenant, role) = (key.id, key.tenant.clone(), key.role);
        let command = Command::CreateKey {
            key,
            actor: caller.actor(),
        };
        // It answers one thing only where it is not refused.
        let _ = self.propose(command).await?;
        tracing::info!(
            target: "audit", actor = %caller.credential, key = %id, %tenant, %role, "key created"
        );
        Ok(view)
    }

    fn usage_of(&self, tenant: &TenantId) -> rest::Usage {
        let now = self.coordinator.now();
        self.coordinator.read(|state| {
            let (usage, holdings) = (state.usage(tenant), state.holdings(tenant));
            rest::Usage {
                tenant: tenant.to_string(),
                tasks: usage.tasks,
                proofs: usage.proofs,
                failed: usage.failed,
                core_seconds: usage.core_ms / 1000,
                input_bytes: usage.input_bytes,
                core_seconds_this_hour: usage.within(now) / 1000,
                live_tasks: holdings.live_tasks,
                queued_bytes: holdings.queued_bytes,
                running: holdings.running,
                plugins: holdings.plugins,
                stored_bytes: holdings.stored_bytes,
                quotas: quotas_view(&state.tenant(tenant).quotas),
            }
        })
    }

    /// A page of the trail: what the ledger has, and behind it what the archive has.
    async fn trail(
        &self,
        caller: &Caller,
        before: Option<u64>,
        limit: u32,
    ) -> Result<rest::AuditTrail, Problem> {
        // One more than is shown says that there is a next page.
        let wanted = limit as usize + 1;
        let (mut acts, oldest) = self.coordinator.read(|state| {
            let oldest = state.audit().last().map(|entry| entry.number);
            let seen = |entry: &&AuditEntry| {
                caller.sees(&entry.tenant) && before.is_none_or(|before| entry.number < before)
            };
            let acts = state.audit().filter(seen).take(wanted).map(act_view);
            (acts.collect::<Vec<rest::AuditEntry>>(), oldest)
        });
        let members = self.coordinator.member_count();
        if acts.len() < wanted
            && let Some(archive) = self.history.archive_of(members)
        {
            let older = aureole_store::ActFilter {
                tenant: (caller.role != Role::Admin).then(|| caller.tenant.to_string()),
                before: oldest.into_iter().chain(before).min(),
                limit: u32::try_from(wanted - acts.len()).unwrap_or(limit),
            };
            let archived = archive.acts(&older).await;
            let archived =
                archived.map_err(|error| storage(&error, "the archive cannot be read"))?;
            for act in archived {
                let read = serde_json::from_value(act.document);
                acts.push(read.map_err(|error| storage(&error, "an archived act does not read"))?);
            }
        }
        let more = acts.len() >= wanted;
        acts.truncate(limit as usize);
        let next = acts.last().filter(|_| more).map(|act| act.number);
        Ok(rest::AuditTrail { acts, next })
    }
}

/// Who a key's holder is at a moment.
fn holder(state: &State, key: &KeyHash, now: Millis) -> Option<Caller> {
    let record = state.key(&key.id)?;
    let known = KeyHash {
        id: record.id,
        secret: record.secret,
    };
    let opens =
        known.matches(key) && record.is_alive(now) && !state.tenant(&record.tenant).suspended;
    opens.then(|| Caller {
        tenant: record.tenant.clone(),
        role: record.role,
        credential: Credential::Key(record.id),
    })
}

fn tenant_view(id: &TenantId, record: &TenantRecord) -> rest::Tenant {
    let created = Some(record.created_at).filter(|at| *at > 0);
    rest::Tenant {
        id: id.to_string(),
        weight: record.weight,
        quotas: quotas_view(&record.quotas),
        suspended: record.suspended,
        created_at: created.map(rest::Timestamp::from_millis),
    }
}

fn key_view(key: &KeyRecord) -> rest::Key {
    rest::Key {
        id: key.id.to_string(),
        tenant: key.tenant.to_string(),
        role: role(key.role),
        label: key.label.clone(),
        created_at: rest::Timestamp::from_millis(key.created_at),
        expires_at: key.expires_at.map(rest::Timestamp::from_millis),
        revoked_at: key.revoked_at.map(rest::Timestamp::from_millis),
    }
}

/// An act as the API shows it.
pub(crate) fn act_view(entry: &AuditEntry) -> rest::AuditEntry {
    let (subject, detail) = match &entry.act {
        Act::TenantPut {
            weight,
            quotas,
            suspended,
        } => (
            None,
            format!("weight {weight}, suspended {suspended}, {}", words(quotas)),
        ),
        Act::KeyCreated {
            key,
            role,
            expires_at,
        } => {
            let end = expires_at.map(rest::Timestamp::from_millis);
            let end = end.map_or("without an end".to_owned(), |end| format!("until {end}"));
            (Some(key.to_string()), format!("{role}, {end}"))
        }
        Act::KeyRevoked { key } => (Some(key.to_string()), "revoked".to_owned()),
        Act::PluginShared {
            component,
            visibility,
        } => {
            let with = match visibility {
                Visibility::Private => "private".to_owned(),
                Visibility::Public => "public".to_owned(),
                Visibility::Shared(with) => {
                    let with: Vec<&str> = with.iter().map(TenantId::as_str).collect();
                    format!("shared with {}", with.join(", "))
                }
            };
            (Some(component.to_string()), with)
        }
        Act::PluginRetired { component } => (Some(component.to_string()), "retired".to_owned()),
    };
    rest::AuditEntry {
        number: entry.number,
        at: rest::Timestamp::from_millis(entry.at),
        actor: entry.actor.clone(),
        tenant: entry.tenant.to_string(),
        act: entry.act.name().to_owned(),
        subject,
        detail,
    }
}

fn words(quotas: &Quotas) -> String {
    let limits = [
        ("live tasks", quotas.live_tasks),
        ("queued bytes", quotas.queued_bytes),
        ("core-seconds an hour", quotas.core_seconds),
        ("stored bytes", quotas.stored_bytes),
    ];
    let words = limits.map(|(name, limit)| match limit {
        Some(limit) => format!("{limit} {name}"),
        None => format!("any {name}"),
    });
    words.join(", ")
}

fn quotas_view(quotas: &Quotas) -> rest::Quotas {
    rest::Quotas {
        live_tasks: quotas.live_tasks,
        queued_bytes: quotas.queued_bytes,
        core_seconds: quotas.core_seconds,
        stored_bytes: quotas.stored_bytes,
    }
}

fn ledger_quotas(quotas: &rest::Quotas) -> Quotas {
    Quotas {
        live_tasks: quotas.live_tasks,
        queued_bytes: quotas.queued_bytes,
        core_seconds: quotas.core_seconds,
        stored_bytes: quotas.stored_bytes,
    }
}

fn role(role: Role) -> rest::Role {
    match role {
        Role::Admin => rest::Role::Admin,
        Role::Author => rest::Role::Author,
        Role::Submitter => rest::Role::Submitter,
        Role::Auditor => rest::Role::Auditor,
    }
}

fn ledger_role(role: rest::Role) -> Role {
    match role {
        rest::Role::Admin => Role::Admin,
        rest::Role::Author => Role::Author,
        rest::Role::Submitter => Role::Submitter,
        rest::Role::Auditor => Role::Auditor,
    }
}
