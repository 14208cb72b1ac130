//! How many series a process may make. Each takes a few hundred bytes here and some KiB in whoever
//! collects them, for as long as that keeps history: none may grow by what strangers send.

use std::time::Duration;

/// Spans that wait for their receiver; what comes beyond is dropped, and no work waits. At about a KiB
/// each that is 8 MiB, and some seconds of a busy process.
pub const SPANS_WAITING_MAX: usize = 8192;

/// Spans of one message: half a MiB, well below what gRPC takes.
pub const SPANS_PER_EXPORT_MAX: usize = 512;

/// How long a message to the receiver may take, and the last one may hold up a stop.
pub const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Seconds of an HTTP request: from what memory answers to the longest wait that is granted (60 s).
pub const REQUEST_BUCKETS: [f64; 9] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0];

/// Seconds of a stage or a task: a witness of the smallest circuit takes a millisecond, a proof of the
/// largest some ten minutes.
pub const STAGE_BUCKETS: [f64; 14] = [
    0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0,
];

/// Codes of problems that a counter tells apart; those that come later count as [`OTHER`]. The
/// product has some 120 codes, of which an attempt can end by forty. Workers send them as text.
pub const CODES_MAX: u32 = 64;

/// Tenants that have series of their own, those with most to tell first; the others are told together
/// as [`OTHER`]. A cluster may have 10,000 of them, with ten priorities each; a hundred fill a
/// dashboard and make two thousand series at the most.
pub const TENANTS_MAX: u32 = 100;

/// Workers that have series of their own, likewise: one takes some ten.
pub const WORKERS_MAX: u32 = 256;

/// Members of a group that are told apart: a group has seven at the most while one is exchanged.
pub const MEMBERS_MAX: u32 = 16;

/// What is told together under one name.
pub const OTHER: &str = "other";

/// Bytes of a page: all series at their bounds take about a MiB.
pub const PAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;
