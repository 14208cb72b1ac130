//! Facts to families: names, units, labels. Seconds and bytes throughout, as Prometheus wants it.

use aureole_telemetry::limits::{MEMBERS_MAX, OTHER, TENANTS_MAX, WORKERS_MAX};
use aureole_telemetry::{Kind::Counter, Kind::Gauge, MeterError, Sheet};

use super::facts::{Facts, LeaderFacts, MemberFacts, WorkerFacts};

type Told = Result<(), MeterError>;

/// Writes what is known.
pub(super) fn of(facts: &Facts) -> Result<Sheet, MeterError> {
    let mut sheet = Sheet::default();
    process(&mut sheet, facts)?;
    if let Some(member) = &facts.member {
        raft(&mut sheet, member)?;
        disk(&mut sheet, member)?;
        if let Some(leader) = &member.leader {
            queue(&mut sheet, leader)?;
            keeping(&mut sheet, leader)?;
            workers(&mut sheet, leader)?;
            tenants(&mut sheet, leader)?;
        }
    }
    if let Some(facts) = &facts.worker {
        worker(&mut sheet, facts)?;
    }
    Ok(sheet)
}

fn process(sheet: &mut Sheet, facts: &Facts) -> Told {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    sheet.family(
        Gauge,
        (
            "aureole_build_info",
            "The build and what its process does; always 1.",
        ),
        &["version", "roles"],
        [(vec![version, facts.roles.clone()], 1.0)],
    )?;
    sheet.figure(
        Gauge,
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        figure(facts.started_at),
    )?;
    if let Some(ends) = facts.certificate_ends {
        sheet.figure(
            Gauge,
            "aureole_certificate_expiry_timestamp_seconds",
            "When the certificate that the process shows to the others ends, in seconds since 1970. A new \
             one is taken at a start.",
            figure(ends),
        )?;
    }
    if let Some(ready) = facts.ready {
        let help = "Whether the process takes work, as /health/ready says.";
        sheet.figure(Gauge, "aureole_ready", help, truth(ready))?;
    }
    let checks = facts.checks.iter();
    sheet.family(
        Gauge,
        (
            "aureole_health_check",
            "Whether a check of /health/ready holds.",
        ),
        &["check"],
        checks.map(|(name, ok)| (vec![name.clone()], truth(*ok))),
    )
}

fn raft(sheet: &mut Sheet, member: &MemberFacts) -> Told {
    let standing = &member.standing;
    let leads = standing.leader == Some(standing.member);
    let index = |index: Option<u64>| figure(index.unwrap_or(0));
    for (name, help, value) in [
        ("term", "The term this member is in.", figure(standing.term)),
        ("is_leader", "Whether this member leads.", truth(leads)),
        (
            "has_leader",
            "Whether this member knows who leads.",
            truth(standing.leader.is_some()),
        ),
        (
            "members",
            "Members of the group.",
            figure(standing.members.len() as u64),
        ),
        (
            "last_log_index",
            "The last entry of this member's log.",
            index(standing.last_log),
        ),
        (
            "applied_index",
            "The last entry that this member applied.",
            index(standing.applied),
        ),
        (
            "snapshot_index",
            "The last entry in this member's snapshot.",
            index(standing.snapshot),
        ),
        (
            "log_bytes",
            "Bytes of this member's log.",
            figure(member.disk_use.log_bytes),
        ),
        (
            "snapshot_bytes",
            "Bytes of this member's snapshot.",
            figure(member.disk_use.snapshot_bytes),
        ),
    ] {
        sheet.figure(Gauge, &format!("aureole_raft_{name}"), help, value)?;
    }
    let members = standing.members.iter().take(MEMBERS_MAX as usize);
    let lags = members.filter_map(|other| Some((vec![other.id.to_string()], figure(other.lag?))));
    sheet.family(
        Gauge,
        (
            "aureole_raft_lag_entries",
            "Entries of the leader's log that a member lacks, as the leader knows.",
        ),
        &["member"],
        lags,
    )
}

fn disk(sheet: &mut Sheet, member: &MemberFacts) -> Told {
    if let Some(space) = member.space {
        for (name, help, value) in [
            (
                "total",
                "Bytes of the file system that the data stand on.",
                space.total,
            ),
            ("free", "Bytes of it that may still be written.", space.free),
            (
                "reserve",
                "Bytes of those that are kept back for the log.",
                space.reserve,
            ),
        ] {
            sheet.figure(
                Gauge,
                &format!("aureole_disk_{name}_bytes"),
                help,
                figure(value),
            )?;
        }
    }
    let help = "Leaves of the log of proofs on this member's disk.";
    sheet.figure(
        Gauge,
        "aureole_receipts_stored",
        help,
        figure(member.leaves),
    )
}

fn queue(sheet: &mut Sheet, leader: &LeaderFacts) -> Told {
    let depths = &leader.backlog.depths;
    let labels = |row: &aureole_ledger::Depth| (row.tenant.to_string(), row.priority.level());
    let tasks = top(depths.iter().map(|row| (labels(row), row.tasks)), |a, b| {
        a + b
    });
    let age = |row: &aureole_ledger::Depth| leader.now.saturating_sub(row.oldest_at);
    let ages = top(depths.iter().map(|row| (labels(row), age(row))), u64::max);
    sheet.family(
        Gauge,
        ("aureole_queue_tasks", "Queued tasks, back-offs included."),
        &["tenant", "priority"],
        tasks
            .into_iter()
            .map(|(labels, tasks)| (labels, figure(tasks))),
    )?;
    sheet.family(
        Gauge,
        (
            "aureole_queue_oldest_age_seconds",
            "Time since the oldest queued task was submitted.",
        ),
        &["tenant", "priority"],
        ages.into_iter().map(|(labels, ms)| (labels, seconds(ms))),
    )?;
    // Told at zero too: an autoscaler that lacks the measure takes no machine away.
    let work = leader.backlog.work_ms.iter();
    let mut work: Vec<_> = work.map(|(tenant, ms)| (tenant.to_string(), *ms)).collect();
    if work.is_empty() {
        work.push((aureole_ledger::TenantId::default().to_string(), 0));
    }
    sheet.family(
        Gauge,
        (
            "aureole_queue_seconds",
            "Seconds one worker would need for what is queued, by the planner's estimates.",
        ),
        &["tenant"],
        top_tenants(work)
            .into_iter()
            .map(|(tenant, ms)| (vec![tenant], seconds(ms))),
    )?;
    for (name, help, value) in [
        (
            "aureole_tasks_waiting",
            "Tasks that wait for their circuit.",
            leader.waiting,
        ),
        (
            "aureole_tasks_running",
            "Tasks that workers have.",
            leader.running,
        ),
        (
            "aureole_leases",
            "Leases that joined workers hold.",
            leader.leases,
        ),
    ] {
        sheet.figure(Gauge, name, help, figure(value))?;
    }
    Ok(())
}

fn keeping(sheet: &mut Sheet, leader: &LeaderFacts) -> Told {
    for (name, help, value) in [
        (
            "aureole_archive_waiting_tasks",
            "Finished tasks that the ledger still has.",
            leader.finished,
        ),
        (
            "aureole_archive_waiting_tasks_max",
            "Finished tasks that the ledger has room for.",
            leader.finished_max,
        ),
    ] {
        sheet.figure(Gauge, name, help, figure(value))?;
    }
    if let Some(lag) = leader.archive_lag_ms {
        let help = "How long the oldest finished task is overdue in the archive.";
        sheet.figure(Gauge, "aureole_archive_lag_seconds", help, seconds(lag))?;
    }
    let help = "Accepted proofs in the log of receipts.";
    sheet.figure(
        Counter,
        "aureole_receipts_total",
        help,
        figure(leader.receipts),
    )
}

fn workers(sheet: &mut Sheet, leader: &LeaderFacts) -> Told {
    let count = |which: fn(&super::facts::JoinedWorker) -> bool| {
        leader.workers.iter().filter(|worker| which(worker)).count() as u64
    };
    for (name, help, value) in [
        (
            "aureole_workers_joined",
            "Workers that are joined.",
            count(|_| true),
        ),
        (
            "aureole_workers_draining",
            "Joined workers that take no more tasks.",
            count(|worker| worker.draining),
        ),
        (
            "aureole_workers_quarantined",
            "Joined workers whose proofs did not verify.",
            count(|worker| worker.quarantined),
        ),
    ] {
        sheet.figure(Gauge, name, help, figure(value))?;
    }
    let named = leader.workers.iter().take(WORKERS_MAX as usize);
    sheet.family(
        Gauge,
        (
            "aureole_worker_joined_slots",
            "Attempts that a joined worker runs at a time.",
        ),
        &["worker"],
        named.map(|worker| (vec![worker.name.clone()], figure(worker.slots.into()))),
    )
}

/// The tenants that used most; the others have no series, because counters of changing tenants
/// together would go backwards.
fn tenants(sheet: &mut Sheet, leader: &LeaderFacts) -> Told {
    let mut tenants: Vec<_> = leader.tenants.iter().collect();
    tenants.sort_by_key(|(id, usage)| (std::cmp::Reverse(usage.core_ms), id.to_string()));
    tenants.truncate(TENANTS_MAX as usize);
    let mut tell = |name: &str, help: &str, of: fn(&aureole_ledger::Usage) -> f64| {
        let rows = tenants.iter();
        let rows = rows.map(|(id, usage)| (vec![id.to_string()], of(usage)));
        sheet.family(Counter, (name, help), &["tenant"], rows)
    };
    tell(
        "aureole_tenant_tasks_total",
        "Tasks that were accepted of a tenant.",
        |usage| figure(usage.tasks),
    )?;
    tell(
        "aureole_tenant_proofs_total",
        "Proofs that were made for a tenant.",
        |usage| figure(usage.proofs),
    )?;
    tell(
        "aureole_tenant_failed_total",
        "Tasks of a tenant that failed.",
        |usage| figure(usage.failed),
    )?;
    tell(
        "aureole_tenant_core_seconds_total",
        "Seconds of one core that a tenant used; what runs counts as estimated.",
        |usage| seconds(usage.core_ms),
    )?;
    tell(
        "aureole_tenant_input_bytes_total",
        "Bytes of a tenant's inputs.",
        |usage| figure(usage.input_bytes),
    )
}

fn worker(sheet: &mut Sheet, worker: &WorkerFacts) -> Told {
    for (name, help, value) in [
        (
            "joined",
            "Whether this worker has a leader that it takes leases from.",
            truth(worker.joined),
        ),
        (
            "slots",
            "Attempts that this worker runs at a time.",
            figure(worker.slots.into()),
        ),
        (
            "running",
            "Attempts that run on this worker.",
            figure(worker.running),
        ),
        (
            "warm_keys",
            "Circuits whose proving keys this worker has in memory.",
            figure(worker.warm_keys),
        ),
    ] {
        sheet.figure(Gauge, &format!("aureole_worker_{name}"), help, value)?;
    }
    let blobs = worker.blob_bytes.map(|bytes| ("blobs", bytes));
    let caches = [("keys", worker.key_bytes), ("code", worker.code_bytes)];
    let caches = caches.into_iter().chain(blobs);
    sheet.family(
        Gauge,
        (
            "aureole_worker_cache_bytes",
            "Bytes in this worker's caches: keys in memory, code and blobs on disk.",
        ),
        &["cache"],
        caches.map(|(cache, bytes)| (vec![cache.to_owned()], figure(bytes))),
    )
}

/// Rows of the tenants with most, of all priorities together; those of the others become one tenant.
fn top(
    rows: impl Iterator<Item = ((String, u8), u64)>,
    join: fn(u64, u64) -> u64,
) -> Vec<(Vec<String>, u64)> {
    let rows: Vec<_> = rows.collect();
    let mut weights = std::collections::BTreeMap::<&str, u64>::new();
    for ((tenant, _), value) in &rows {
        let weight = weights.entry(tenant).or_default();
        *weight = join(*weight, *value);
    }
    let mut order: Vec<_> = weights.into_iter().collect();
    order.sort_by_key(|(tenant, weight)| (std::cmp::Reverse(*weight), *tenant));
    order.truncate(TENANTS_MAX as usize);
    let named: std::collections::BTreeSet<&str> =
        order.into_iter().map(|(tenant, _)| tenant).collect();
    let mut told = std::collections::BTreeMap::<(&str, u8), u64>::new();
    for ((tenant, priority), value) in &rows {
        let tenant = named.get(tenant.as_str()).copied().unwrap_or(OTHER);
        let sum = told.entry((tenant, *priority)).or_default();
        *sum = join(*sum, *value);
    }
    let told = told.into_iter();
    told.map(|((tenant, priority), value)| (vec![tenant.to_owned(), priority.to_string()], value))
        .collect()
}

/// The same for figures that have no priority.
fn top_tenants(rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let rows = rows.into_iter().map(|(tenant, value)| ((tenant, 0), value));
    let told = top(rows, |a, b| a.saturating_add(b)).into_iter();
    told.filter_map(|(labels, value)| Some((labels.into_iter().next()?, value)))
        .collect()
}

fn seconds(ms: u64) -> f64 {
    figure(ms) / 1000.0
}

/// Prometheus knows one type of number; what it loses above 2^53 nobody reads off a graph.
fn figure(value: u64) -> f64 {
    value as f64
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
