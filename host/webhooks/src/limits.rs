//! Every number of this room, each with its reason.

use std::time::Duration;

/// How long one attempt may take, from the look-up of the name to the head of the answer. A receiver
/// should queue and answer; five seconds outlast a cold start of most.
pub const ATTEMPT_MAX: Duration = Duration::from_secs(5);

/// How long the rest of an answer is read after its head. What came of the attempt is known by then.
pub const ANSWER_END_MAX: Duration = Duration::from_secs(1);

/// Bytes of an answer that are read, its head included. Nothing of it is kept but the status; it is
/// read only so that an honest receiver sees an end and no reset.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Header fields of an answer.
pub const ANSWER_FIELDS_MAX: usize = 64;

/// Addresses of a name that are tried in one attempt: one of each family, and one to spare.
pub const ADDRESSES_TRIED_MAX: usize = 3;

/// Addresses of a name that are looked at; more is no receiver of events.
pub const ADDRESSES_MAX: usize = 64;

/// Names that are being looked up. Each holds a thread of the process's 512 until the resolver gives up,
/// which takes half a minute for a silent name server; sixteen are a thirtieth of them. One more is
/// refused: a look-up that waits for silent ones would outlast its attempt.
pub const LOOK_UPS_MAX: usize = 16;

/// Checks and tests of receivers that callers wait for. Half of the look-ups are left to deliveries; one
/// more is refused, for whoever asks can ask again.
pub const TRIALS_MAX: usize = 8;

/// Bytes of a URL. The ledger has the same limit.
pub const URL_BYTES_MAX: usize = 1024;

/// Ports that may be connected to unless the configuration says otherwise.
pub const PORTS: [u16; 2] = [443, 8443];

/// Attempts in the air to one receiver that answers well; one that failed last gets one at a time.
pub const FLIGHTS_OF_ENDPOINT_MAX: usize = 4;

/// Attempts in the air in all. A receiver that is silent holds one for `ATTEMPT_MAX` and then waits,
/// so that as many silent ones at once delay the others by seconds, once.
pub const FLIGHTS_MAX: usize = 64;

/// Events of one receiver that are looked at when something is to be sent; the oldest first.
pub const LOOKAHEAD: usize = 256;

/// The first wait after a failed attempt.
pub const WAIT_FIRST: Duration = Duration::from_secs(1);

/// Each wait is this many times the one before.
pub const WAIT_FACTOR: f32 = 4.0;

/// The longest wait between two attempts, before jitter: after five failures at the latest a receiver
/// that is back hears within two hours.
pub const WAIT_MAX: Duration = Duration::from_secs(60 * 60);

/// How long an event is tried before it is given up: a day, in which somebody was awake.
pub const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// The least time between two hints that something was queued: each has the courier look at all that
/// waits, and nobody misses a fiftieth of a second.
pub const HINTS_APART: Duration = Duration::from_millis(20);

/// How often the outbox is asked without a hint.
pub const ROUND: Duration = Duration::from_secs(1);
