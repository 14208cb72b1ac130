//! What is promised of each figure, and how it comes about.

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Stated, with nothing promised.
    Stated,
}

/// How a figure comes about, in one run always.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// A ratio of two sides that were measured by turns.
    Turns,
    /// A ratio of two sides of which one was measured after the other.
    After,
    /// One side, in its unit.
    Alone,
    /// Worked out of other figures.
    Derived,
}

/// A figure that a bench prints, and what is promised of it.
#[derive(Debug)]
pub(super) struct Promise {
    /// The name of the bench, as its line says.
    pub(super) bench: &'static str,
    /// Where the figure stands in the line, as a JSON pointer (RFC 6901).
    pub(super) pointer: &'static str,
    pub(super) what: &'static str,
    pub(super) way: Way,
    pub(super) target: Target,
}

const fn promise(
    bench: &'static str,
    pointer: &'static str,
    what: &'static str,
    way: Way,
    target: Target,
) -> Promise {
    Promise {
        bench,
        pointer,
        what,
        way,
        target,
    }
}

/// In the order of the page; those of one bench stand together.
pub(super) const PROMISES: &[Promise] = &[
    promise(
        "overhead",
        "/ratio",
        "submission to proof in hand over stock `create_proof`, the larger proof, medians",
        Way::Turns,
        Target::AtMost(1.03),
    ),
    promise(
        "overhead",
        "/ratio_p99",
        "the same of the 99th percentiles, which of fewer than a hundred proofs are the slowest",
        Way::Turns,
        Target::AtMost(1.10),
    ),
    promise(
        "overhead",
        "/small_added_ms",
        "what is added to a small proof, in milliseconds",
        Way::Turns,
        Target::AtMost(15.0),
    ),
    promise(
        "overhead",
        "/verified_cores_per_core",
        "cores that can prove for each core on which the leader verifies, the least of three sizes",
        Way::Derived,
        Target::AtLeast(4.0),
    ),
    promise(
        "prove",
        "/ratio",
        "one proof with warm keys over stock `create_proof` as it comes, the larger proof",
        Way::Turns,
        Target::AtMost(1.0),
    ),
    promise(
        "prove",
        "/over_assembly",
        "the same over stock `create_proof` with field arithmetic in assembly",
        Way::Turns,
        Target::AtMost(1.0),
    ),
    promise(
        "prove",
        "/over_limit",
        "the same over the limit: the multiplications that the protocol takes, at this machine's rate",
        Way::Derived,
        Target::Stated,
    ),
    promise(
        "prove",
        "/multiplication_ns",
        "that rate: nanoseconds for a multiplication in the curve's base field, one thread",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "prove",
        "/sizes/1/limit_ms",
        "the limit in milliseconds, the larger proof",
        Way::Derived,
        Target::Stated,
    ),
    promise(
        "prove",
        "/sizes/1/platform_ms",
        "milliseconds of the platform's proof that is held against it",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "witness",
        "/ratio",
        "a witness in the sandbox over native",
        Way::Turns,
        Target::AtMost(1.3),
    ),
    promise(
        "witness",
        "/share_of_whole",
        "the witness as a part of witness, values and proof",
        Way::After,
        Target::AtMost(0.03),
    ),
    promise(
        "witness",
        "/instantiation_ms",
        "milliseconds for an instance from the pool",
        Way::Alone,
        Target::AtMost(0.1),
    ),
    promise(
        "witness",
        "/least_call_ms",
        "milliseconds for that, the least call and the instance's end",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "witness",
        "/handover_over_copy",
        "32 MiB of a witness out of the plugin's memory, within one process, over copying them",
        Way::Turns,
        Target::AtMost(1.5),
    ),
    promise(
        "transfer",
        "/transfer_over_copy",
        "32 MiB of a witness from the plugin's process to the prover's over copying them once",
        Way::Turns,
        Target::AtMost(1.5),
    ),
    promise(
        "transfer",
        "/transfer_ms",
        "milliseconds for that",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "throughput",
        "/ratio",
        "proofs a second with a deep queue over a loop of `create_proof`",
        Way::Turns,
        Target::AtLeast(1.2),
    ),
    promise(
        "throughput",
        "/slowest_over_lone",
        "the slowest of a deep queue over a lone proof",
        Way::After,
        Target::AtMost(2.0),
    ),
    promise(
        "cold-start",
        "/ratio",
        "upload to first proof over keys and proof by hand",
        Way::Turns,
        Target::AtMost(1.2),
    ),
    promise(
        "cold-start",
        "/second_worker_over_first",
        "a second worker's first proof, from its submission, over the first's, from the upload",
        Way::After,
        Target::AtMost(1.0),
    ),
    promise(
        "cold-start",
        "/second_worker_over_cold_first",
        "the same over the first's own, from a submission, with nothing left on its disk",
        Way::After,
        Target::Stated,
    ),
    promise(
        "batch-verify",
        "/ratio",
        "64 proofs of a key together over one by one",
        Way::Turns,
        Target::AtLeast(8.0),
    ),
    promise(
        "memory",
        "/ratio",
        "peak of a worker's prover over a process of stock halo2, k = 14",
        Way::After,
        Target::AtMost(1.1),
    ),
    promise(
        "memory",
        "/worker_ratio",
        "peaks of the whole worker's processes, added, over the same",
        Way::After,
        Target::AtMost(1.1),
    ),
    promise(
        "memory",
        "/worker_parts/node",
        "of that, the worker's own process",
        Way::After,
        Target::Stated,
    ),
    promise(
        "memory",
        "/worker_parts/sandboxes",
        "of that, its two sandboxes",
        Way::After,
        Target::Stated,
    ),
    promise(
        "memory",
        "/estimate_low",
        "the estimate for admission over the prover's peak, the lowest of nine circuits",
        Way::Derived,
        Target::AtLeast(0.8),
    ),
    promise(
        "memory",
        "/estimate_high",
        "the same, the highest",
        Way::Derived,
        Target::AtMost(1.2),
    ),
    promise(
        "control-plane",
        "/ratio",
        "no-op tasks a second through three members, clients in the leader's process as a gateway's, over a \
         PostgreSQL queue, 90 clients",
        Way::Turns,
        Target::AtLeast(2.0),
    ),
    promise(
        "control-plane",
        "/over_grpc_ratio",
        "the same with each step of each client a call over gRPC",
        Way::Turns,
        Target::AtLeast(2.0),
    ),
    promise(
        "control-plane",
        "/with_fewer_clients/64",
        "over gRPC, with 64 clients ([why less](decisions/0018-appends-over-a-stream.md))",
        Way::Turns,
        Target::Stated,
    ),
    promise(
        "control-plane",
        "/with_fewer_clients/16",
        "over gRPC, with 16 clients ([why less](decisions/0018-appends-over-a-stream.md))",
        Way::Turns,
        Target::Stated,
    ),
    promise(
        "queue",
        "/ratio",
        "tasks a second with 1,000 in the queue over the same with 100,000",
        Way::After,
        Target::AtMost(1.3),
    ),
    promise(
        "queue",
        "/tasks_per_s/0",
        "tasks a second through all three steps with 1,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/tasks_per_s/1",
        "tasks a second through all three steps with 10,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/tasks_per_s/2",
        "tasks a second through all three steps with 100,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/submissions_per_s/0",
        "submissions a second by themselves with 1,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/submissions_per_s/2",
        "submissions a second by themselves with 100,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/leases_per_s/0",
        "leases a second by themselves with 1,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/leases_per_s/2",
        "leases a second by themselves with 100,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/completions_per_s/0",
        "completions a second by themselves with 1,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/completions_per_s/2",
        "completions a second by themselves with 100,000 in the queue",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/log_bytes_per_task",
        "bytes of a member's log for a task",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_base_mib",
        "MiB of a member's memory without tasks",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_whole_mib",
        "the same with 100,000 tasks that wait",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_bytes_per_queued_task",
        "bytes of it for each of them",
        Way::Derived,
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_bound_mib",
        "MiB of a member with 1,000,000, as many as it knows at the most",
        Way::Derived,
        Target::Stated,
    ),
    promise(
        "scale",
        "/ratio",
        "two workers of one thread over one",
        Way::Turns,
        Target::AtLeast(1.9),
    ),
    promise(
        "failover",
        "/median_s",
        "seconds from a killed leader to the next acknowledged task, median",
        Way::Alone,
        Target::AtMost(2.0),
    ),
    promise(
        "failover",
        "/p99_s",
        "the same, 99th percentile, which of fewer than a hundred kills is the longest",
        Way::Alone,
        Target::AtMost(5.0),
    ),
    promise(
        "api",
        "/ratio",
        "status reads a second over a bare echo server",
        Way::Turns,
        Target::Stated,
    ),
    promise(
        "api",
        "/submissions_per_s",
        "submissions a second",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "api",
        "/submissions_p99_ms",
        "their 99th percentile in milliseconds",
        Way::Alone,
        Target::Stated,
    ),
    promise(
        "api",
        "/status_reads_p99_ms",
        "the 99th percentile of status reads in milliseconds",
        Way::Alone,
        Target::Stated,
    ),
];

// === impl Way ===

impl Way {
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Turns => "by turns",
            Self::After => "one after the other",
            Self::Alone => "by itself",
            Self::Derived => "worked out",
        }
    }
}

// === impl Target ===

impl Target {
    pub(super) fn shown(self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most}"),
            Self::AtLeast(least) => format!("at least {least}"),
            Self::Stated => String::new(),
        }
    }
}
