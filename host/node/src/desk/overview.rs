//! The cluster at one moment, for administrators: a look, at nobody's cost.

use aureole_api::rest;
use aureole_coordinator::ClusterStatus;
use aureole_gateway::Caller;
use aureole_ledger::{State, TenantId};

use super::Desk;

// === impl Desk ===

impl Desk {
    /// What waits, who works, who leads.
    pub(super) async fn overview(
        &self,
        caller: &Caller,
    ) -> Result<rest::Overview, aureole_api::Problem> {
        let workers = self.list_workers(caller).await?.workers;
        let at = rest::Timestamp::from_millis(self.coordinator.now());
        let cluster = cluster(self.coordinator.standing());
        Ok(self.coordinator.read(|state| {
            let mut tenants = loads(state);
            let tenant_count = tenants.len() as u64;
            tenants.sort_by(|a, b| b.live.cmp(&a.live).then_with(|| a.tenant.cmp(&b.tenant)));
            tenants.truncate(rest::OVERVIEW_TENANTS_MAX as usize);
            rest::Overview {
                at,
                cluster,
                tasks: rest::TaskCounts {
                    queued: state.queued_count(),
                    waiting: state.waiting_count(),
                    running: state.running_count(),
                },
                tenants,
                tenant_count,
                workers,
            }
        }))
    }
}

fn cluster(standing: ClusterStatus) -> rest::ClusterStanding {
    let members = standing.members.into_iter();
    rest::ClusterStanding {
        name: standing.cluster,
        term: standing.term,
        leader: standing.leader,
        applied: standing.applied,
        members: members
            .map(|member| rest::ClusterMember {
                id: member.id,
                leader: member.leader,
                voter: member.voter,
                lag: member.lag,
            })
            .collect(),
    }
}

/// What every tenant has to do: those that were made, and the one that always is.
fn loads(state: &State) -> Vec<rest::TenantLoad> {
    let default = TenantId::default();
    let made = state.tenants().map(|(id, _)| id);
    let made = made.filter(|id| **id != default);
    let all = std::iter::once(&default).chain(made);
    all.map(|id| {
        let (usage, holdings) = (state.usage(id), state.holdings(id));
        rest::TenantLoad {
            tenant: id.to_string(),
            live: holdings.live_tasks,
            running: holdings.running,
            proofs: usage.proofs,
            failed: usage.failed,
        }
    })
    .collect()
}
