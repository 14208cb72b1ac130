//! The numbers of this room, each with its reason.

use std::time::Duration;

/// Bytes of a message's header. The largest carries a plugin's description with two schemas of
/// 64 KiB each, which JSON escaping can at worst sextuple.
pub(crate) const HEADER_BYTES_MAX: u32 = 1 << 20;

/// Byte strings behind a header: a batch of 64 proofs with their public inputs.
pub(crate) const BLOBS_MAX: u32 = 2 * VERIFY_BATCH_MAX;

/// Bytes of a whole message. The largest is a witness: the runtime stops a plugin at 64 MiB, and
/// its denominators may take as much again.
pub(crate) const MESSAGE_BYTES_MAX: u64 = 192 << 20;

/// Most proofs in one batch: past 64 the shared multiexponentiation is a small part of the work,
/// and one bad proof costs the check of each.
pub const VERIFY_BATCH_MAX: u32 = 64;

/// What is kept of a child's standard error: enough for the line that says why it died.
pub(crate) const STDERR_TAIL_BYTES: usize = 4 << 10;

/// How much of a child's last line is shown in an error.
pub(crate) const SEEN_LINE_CHARS: usize = 240;

/// How long a child may take from its start to its first message. It reads no keys and generates
/// nothing before; ten seconds are for a machine that swaps.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a child whose pipe broke is waited for before it is killed.
pub(crate) const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// CPU seconds of one compilation. The scan admits components that take up to 6 s; 15 leaves
/// room for slow machines.
pub(crate) const COMPILE_CPU: Duration = Duration::from_secs(15);

/// The greatest niceness that systems know.
pub(crate) const NICE_MOST: i32 = 19;

/// Threads of one compilation, on a machine that has them: functions are compiled apart, and beyond
/// four the largest of them decides.
pub(crate) const COMPILE_THREADS: u32 = 4;

/// Added to a compilation's niceness, so that it has the most there is: it takes what nobody else wants of a core. Who
/// uploads waits a little longer; who computes a witness meanwhile does not notice.
pub(crate) const COMPILE_NICE: i32 = NICE_MOST;

/// Wall time of one compilation: four times the CPU time, for a machine that proves meanwhile.
pub(crate) const COMPILE_TIMEOUT: Duration = Duration::from_secs(60);

/// Address space of one compilation: twice what the largest admitted component was seen to take.
pub(crate) const COMPILE_MEMORY: u64 = 2 << 30;

/// Time beyond the runtime's own limit for a call, after which the child is killed: loading the
/// code, converting and checking the result.
pub(crate) const SANDBOX_GRACE: Duration = Duration::from_secs(15);

/// Plugins that a sandbox child keeps loaded. One takes some megabytes of mapped code.
pub(crate) const LOADED_PLUGINS_MAX: usize = 32;

/// Circuits that a prover child keeps decoded and checked, beside their keys.
pub(crate) const LOADED_CIRCUITS_MAX: usize = 64;

/// Log lines of a plugin that are passed on to this node's log.
pub(crate) const PLUGIN_LOG_LINES: usize = 32;

/// Failures shown for an unsatisfied witness; the rest follows from the first ones.
pub(crate) const FAILURES_SHOWN: usize = 4;

/// Bytes of the report that is kept with a failed task: sixteen failures with a dozen named cells
/// each take under 40 KiB.
pub(crate) const REPORT_BYTES_MAX: usize = 64 << 10;

/// Bytes of a problem's detail, cut at a character: what the ledger keeps.
pub(crate) const DETAIL_BYTES_MAX: usize = 1024;

/// First wait after a try that failed at every coordinator. Jitter adds up to as much again.
pub(crate) const RETRY_MIN: Duration = Duration::from_millis(50);
/// The longest such wait. A thousand workers without a group ask each member a few hundred times a
/// second then, which a refusal from memory bears.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(2);

/// How long a stream must have lasted for its end to be looked at as news, not as one more failed
/// try: then the group is asked again at once.
pub(crate) const STEADY: Duration = Duration::from_secs(1);

/// Time for a Join. A member that knows no leader keeps it for two seconds, until one is elected.
pub(crate) const JOIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a result is offered to the coordinators before it is given up. Longer than any lease:
/// by then another worker has the task.
pub(crate) const REPORT_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for one call to the coordinators other than `Complete`.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for one heartbeat. With `HEARTBEATS_MISSED_MAX` of them a silent leader is left while a
/// lease of the default ten seconds still has time for a Join elsewhere.
pub(crate) const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(2);

/// Heartbeats in a row that a leader may leave unanswered.
pub(crate) const HEARTBEATS_MISSED_MAX: u32 = 2;

/// Time for handing back what did not end while draining, and so what a stop takes at most beyond
/// the configured bound.
pub(crate) const HAND_BACK_TIMEOUT: Duration = Duration::from_secs(5);

/// Warm circuits announced: as many as a child keeps decoded. The scheduler prefers a warm worker,
/// it needs no full list.
pub(crate) const WARM_ANNOUNCED_MAX: usize = LOADED_CIRCUITS_MAX;

/// Time for a `Complete`, which verifies the proof before it answers.
pub(crate) const COMPLETE_TIMEOUT: Duration = Duration::from_secs(60);

/// Time between heartbeats until a lease has told its length; then a third of it.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);

/// The shortest time between heartbeats: leases of a few milliseconds exist in tests only.
pub(crate) const HEARTBEAT_MIN: Duration = Duration::from_millis(50);

/// Bytes of a component, parameters and a sealed input: what the gateway takes, with its seal.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 8 << 20;
/// See [`COMPONENT_BYTES_MAX`].
pub(crate) const PARAMS_BYTES_MAX: u64 = 8 << 20;
/// See [`COMPONENT_BYTES_MAX`].
pub(crate) const SEALED_BYTES_MAX: u64 = (8 << 20) + 64;

/// What the cache of blobs holds: some hundred plugins with their circuits and parameters, and the
/// inputs of the last hours.
pub(crate) const BLOB_CACHE_BYTES: u64 = 2 << 30;

/// How long a blob is asked for or offered in all: an election and a restart of a coordinator fit,
/// and a lease of a task that waits for one is renewed meanwhile.
pub(crate) const BLOB_PATIENCE: Duration = Duration::from_secs(30);

/// The first wait before coordinators are asked for a blob again, and the longest.
pub(crate) const BLOB_RETRY: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_secs(2));

/// Time for a part of 1 MiB of a blob, or a question: a second over 10 Mbit/s, and what the
/// coordinator needs to pull it first.
pub(crate) const BLOB_CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for storing a blob: twice what a coordinator itself has patience for.
pub(crate) const BLOB_PUT_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls by which a coordinator is judged: half of them failed, and it is left alone.
pub(crate) const BREAKER_CALLS: usize = 4;

/// For how long: a restart takes about as much.
pub(crate) const BREAKER_WAIT: Duration = Duration::from_secs(2);
