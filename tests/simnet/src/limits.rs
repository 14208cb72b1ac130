//! Every number of the simulated world, each with its reason.

use std::time::Duration;

/// How far the world moves in one step. Messages arrive at steps; beats are a hundred steps apart.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// When the faults begin: a group has found its first leader and the plugin is ready.
pub(crate) const STORM_FROM_MS: u64 = 2_500;

/// When the last fault ends and all wires are whole again.
pub(crate) const STORM_TO_MS: u64 = 12_000;

/// How long a healed group may take to agree. A connection that swallowed something is given up after
/// five seconds of silence, a snapshot's stream after ten; an election takes two.
pub(crate) const CALM_MAX_MS: u64 = 40_000;

/// How often the driver looks whether all agree.
pub(crate) const LOOK_MS: u64 = 100;

/// Clients of a group. Each has one deed in hand at a time.
pub(crate) const CLIENTS: u64 = 3;

/// A client's longest pause between deeds: some three hundred deeds in a storm, several snapshots at
/// the smaller distances.
pub(crate) const PAUSE_MAX_MS: u64 = 200;

/// How long a client waits for an answer before it asks another member. A proposal without a majority
/// is refused after five seconds; a client that waits less meets more of what may or may not be done.
pub(crate) const ANSWER_PATIENCE: Duration = Duration::from_millis(1_500);

/// A client's pause after a member that does not lead or does not answer.
pub(crate) const AGAIN: Duration = Duration::from_millis(40);

/// Bytes of a message between client and member: a deed has under a hundred, a refusal under a thousand.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// How long a connection between members may take to come about, as in a node.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a silent connection is tried, and how long the answer may take, as in a node.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(2);
/// See [`KEEPALIVE`].
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Segments that wait at a socket. A simulated host has no other limit, and must not have one here:
/// turmoil panics at it.
pub(crate) const SEGMENTS_QUEUED_MAX: usize = 4_096;

/// How often a member is looked at that nothing tells of. It is also looked at after each change.
pub(crate) const WATCH: Duration = Duration::from_millis(100);

/// Port of the services for members.
pub(crate) const MEMBERS_PORT: u16 = 7_000;

/// Port of the service for clients.
pub(crate) const CLIENTS_PORT: u16 = 7_001;

/// What the clocks show when the world begins.
pub(crate) const EPOCH_MS: u64 = 1_700_000_000_000;

/// Schedules of a normal test run: what two busy cores do in a minute.
pub(crate) const SCHEDULES: u64 = 200;
