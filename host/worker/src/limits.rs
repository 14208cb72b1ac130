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

/// First wait after a lost connection to the coordinators, and the longest.
pub(crate) const RECONNECT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_secs(5));

/// How long a result is offered to the coordinators before it is given up. Longer than any lease:
/// by then another worker has the task.
pub(crate) const REPORT_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for one call to the coordinators other than `Complete`.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(10);

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
