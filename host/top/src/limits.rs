//! Every limit of this room, with its reason.

use std::time::Duration;

/// How far back throughput, latency and failures look: what an operator who was just called wants to
/// see, and one screen of it.
pub const MINUTES: u32 = 15;

/// Tasks asked for at a time: the most that a node gives.
pub const PAGE: u32 = 200;

/// Pages of the first look, for each way to end: a thousand tasks, in about a second. What is older
/// is not counted, and the frame says so.
pub const FIRST_PAGES_MAX: u32 = 5;

/// Pages of every later look. A cluster in which more than four hundred tasks end between two looks
/// is counted in part, and the frame says so.
pub const LATER_PAGES_MAX: u32 = 2;

/// Tasks kept: those of the first look, and as many as come after it within the time that counts.
pub const TASKS_MAX: u32 = 20_000;

/// The shortest time between two looks: a node answers one in a few milliseconds, an eye needs more.
pub const EVERY_MIN: Duration = Duration::from_millis(500);

/// How often the screen is looked at for another size while nothing else happens.
pub const REDRAW_EVERY: Duration = Duration::from_millis(250);

/// Keys that wait to be read: nobody presses more of them between two.
pub const KEYS_MAX: u32 = 64;
