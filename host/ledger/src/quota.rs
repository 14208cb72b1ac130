//! What a tenant may have, and what it has used: in tasks, bytes and core-seconds.

use serde::{Deserialize, Serialize};

use crate::{Lease, Millis};

/// The time over which core-seconds are counted, in milliseconds: long enough that a burst of proofs
/// fits, short enough that who has used its own up goes on before the day is over.
pub const CORE_WINDOW_MS: u64 = 60 * 60 * 1000;

/// What a tenant may have. Without a number there is no limit but the cluster's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas {
    /// Tasks that have not ended: proofs, and inspections and preparations alike.
    pub live_tasks: Option<u64>,
    /// Bytes of the inputs of those tasks.
    pub queued_bytes: Option<u64>,
    /// Seconds of one core within an hour.
    pub core_seconds: Option<u64>,
    /// Bytes of the components that it keeps here; those of retired plugins do not count.
    pub stored_bytes: Option<u64>,
}

/// One of the limits of [`Quotas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuotaItem {
    /// See [`Quotas::live_tasks`].
    LiveTasks,
    /// See [`Quotas::queued_bytes`].
    QueuedBytes,
    /// See [`Quotas::core_seconds`].
    CoreSeconds,
    /// See [`Quotas::stored_bytes`].
    StoredBytes,
    /// Plugins: `PLUGINS_OF_TENANT_MAX` for everybody.
    Plugins,
    /// Circuits: `CIRCUITS_OF_TENANT_MAX` for everybody.
    Circuits,
}

/// What a tenant has used since it was made. Times are those that workers report, clamped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tasks that were accepted.
    pub tasks: u64,
    /// Proofs that were made.
    pub proofs: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// Milliseconds of one core: what running tasks are expected to take, corrected when they end.
    pub core_ms: u64,
    /// Bytes of inputs.
    pub input_bytes: u64,
    /// The window that the next field counts: its number since the epoch.
    pub window: u64,
    /// Milliseconds of one core within it.
    pub window_core_ms: u64,
}

/// What a tenant has in the ledger at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Tasks that have not ended.
    pub live_tasks: u64,
    /// Bytes of their inputs.
    pub queued_bytes: u64,
    /// Attempts that run.
    pub running: u64,
    /// Plugins that it keeps here.
    pub plugins: u64,
    /// Bytes of their components, without those of retired ones.
    pub stored_bytes: u64,
}

// === impl QuotaItem ===

impl QuotaItem {
    /// Returns the stable code of the table in `host/api`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LiveTasks => "quota.live_tasks",
            Self::QueuedBytes => "quota.queued_bytes",
            Self::CoreSeconds => "quota.core_seconds",
            Self::StoredBytes => "quota.stored_bytes",
            Self::Plugins => "quota.plugins",
            Self::Circuits => "quota.circuits",
        }
    }

    /// Returns what is counted, for people.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::LiveTasks => "unfinished tasks",
            Self::QueuedBytes => "bytes of queued inputs",
            Self::CoreSeconds => "core-seconds within an hour",
            Self::StoredBytes => "bytes of components",
            Self::Plugins => "plugins",
            Self::Circuits => "circuits",
        }
    }
}

// === impl Usage ===

impl Usage {
    /// Counts the core time that a lease is expected to take.
    pub(crate) fn spend(&mut self, now: Millis, charge: u64) {
        self.turn(now);
        self.core_ms = self.core_ms.saturating_add(charge);
        self.window_core_ms = self.window_core_ms.saturating_add(charge);
    }

    /// Replaces what a lease was expected to take by what it took.
    pub(crate) fn correct(&mut self, now: Millis, lease: &Lease, used: u64) {
        self.turn(now);
        let charge = lease.charge;
        self.core_ms = self.core_ms.saturating_sub(charge).saturating_add(used);
        // A charge of an earlier window is none of this one's.
        self.window_core_ms = if lease.leased_at / CORE_WINDOW_MS < self.window {
            let more = used.saturating_sub(charge);
            self.window_core_ms.saturating_add(more)
        } else {
            let others = self.window_core_ms.saturating_sub(charge);
            others.saturating_add(used)
        };
    }

    /// Returns what was used in the window of a moment, in milliseconds of one core.
    pub const fn within(&self, now: Millis) -> u64 {
        if self.window == now / CORE_WINDOW_MS {
            self.window_core_ms
        } else {
            0
        }
    }

    fn turn(&mut self, now: Millis) {
        let window = now / CORE_WINDOW_MS;
        if window > self.window {
            self.window = window;
            self.window_core_ms = 0;
        }
    }
}
