//! Every limit of this crate, each with the reason for its number.

/// Largest k that parameters are made for.
///
/// Generation doubles with k: 9 s at k = 14 on two cores, so 2.5 minutes and a 16 MiB file at
/// 18, after which a node should rather be given the file. A node's own limit is lower
/// ([`aureole_ir::Limits`]); this one keeps a mistake there from filling a disk.
pub const K_MAX: u32 = 18;

/// Most failures that a check or a diagnosis lists.
///
/// Each already stands for all rows on which one constraint fails, and a person reads the first
/// few; the list travels in a task's problem, which is bounded as well.
pub const FAILURES_MAX: usize = 16;

/// Most cells that one failure names.
///
/// A person compares a handful; the widest gates in use (Sinsemilla, Poseidon's partial rounds)
/// read under twenty. Sixteen failures of 32 cells stay below 100 KB as JSON.
pub const FAILURE_CELLS_MAX: usize = 32;

/// Most findings of a probe that are listed.
///
/// A forgotten constraint shows once for each time its gate is used; whoever reads the list
/// groups them by name. Past ten thousand the groups are known.
pub const FINDINGS_MAX: usize = 10_000;

/// Most constraints named with one finding: those that read one cell, and a cell that more than
/// a dozen read is seldom forgotten by all.
pub(crate) const FINDING_READERS_MAX: usize = 12;

/// Most values by which a probe tries to repair one broken constraint: what a gate reads.
pub(crate) const PROBE_PARTNERS_MAX: usize = 12;

/// Most proofs that share one multiexponentiation.
///
/// Each pending proof holds 2^k scalars, 512 KiB at k = 14: 64 of them stay at 32 MiB, and by
/// then the shared part is under a fiftieth of the work. Larger batches go in several runs.
pub const BATCH_MAX: usize = 64;

/// Rows that one parallel job of the check evaluates: some 50 µs of work on a small gate, so
/// that scheduling does not show.
pub(crate) const CHECK_ROWS_PER_JOB: usize = 256;

/// Field elements that one parallel job parses or inverts, some 100 µs of work.
pub(crate) const ELEMENTS_PER_JOB: usize = 4096;

/// Bytes of operating system randomness fetched at once.
///
/// halo2 draws eight words for each random element and 2^k elements for two polynomials: a
/// system call for each word took 2 to 3% of the proving time. One page divides that by 512.
pub(crate) const RANDOM_BUFFER_BYTES: usize = 4096;

/// Characters kept of a panic's message.
pub(crate) const PANIC_MESSAGE_MAX: usize = 512;
