//! What goes wrong how often, and how much there is to do.

/// A kind of weather.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Messages lost, of a thousand.
    pub loss: u64,
    /// Messages delivered twice, of a thousand.
    pub twice: u64,
    /// The longest delay of a message; each has its own, so they overtake each other.
    pub delay_ms: u64,
    /// Messages that arrive only after most leases have ended, of a thousand.
    pub stuck: u64,
    /// Crashes of the coordinator over a run.
    pub node_crashes: u64,
    /// Crashes of workers over a run.
    pub worker_crashes: u64,
    /// Jumps of the coordinator's clock over a run.
    pub clock_jumps: u64,
    /// Attempts that end without a result, of a thousand.
    pub failures: u64,
    /// Attempts that take ten times as long, of a thousand.
    pub stragglers: u64,
    /// Proofs of one worker, the last, that do not verify, of a thousand.
    pub lies: u64,
    /// Proofs submitted over a run.
    pub tasks: u64,
    /// Of which so many of a thousand are cancelled some time.
    pub cancels: u64,
    /// Of which so many of a thousand have a deadline.
    pub deadlines: u64,
    /// Tenants beside the one that floods.
    pub tenants: u64,
    /// How many unfinished tasks the one that floods may have.
    pub flood_quota: Option<u64>,
    /// Over how long tasks are submitted and faults happen; then the world heals.
    pub storm_ms: u64,
}

impl Profile {
    /// Everything goes wrong.
    pub const STORM: Self = Self {
        loss: 80,
        twice: 80,
        delay_ms: 400,
        stuck: 20,
        node_crashes: 3,
        worker_crashes: 6,
        clock_jumps: 3,
        failures: 100,
        stragglers: 100,
        lies: 0,
        tasks: 60,
        cancels: 150,
        deadlines: 200,
        tenants: 3,
        flood_quota: Some(8),
        storm_ms: 120_000,
    };

    /// Nothing goes wrong: what is slow then is slow by the scheduler's doing.
    pub const CALM: Self = Self {
        loss: 0,
        twice: 0,
        delay_ms: 5,
        stuck: 0,
        node_crashes: 0,
        worker_crashes: 0,
        clock_jumps: 0,
        failures: 0,
        stragglers: 0,
        lies: 0,
        tasks: 60,
        cancels: 0,
        deadlines: 0,
        tenants: 5,
        flood_quota: None,
        storm_ms: 120_000,
    };
}
