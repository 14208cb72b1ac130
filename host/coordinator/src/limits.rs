//! Every number of the coordinator, each with its reason.

use std::time::Duration;

/// Commands in one log entry: the ledger says how many.
pub(crate) const BATCH_MAX: usize = aureole_ledger::limits::ENTRY_COMMANDS_MAX;

/// Proposals that make a second entry go while one is under way: one waits for disks while the other is
/// worked on. Fewer would be entries that cost more than they carry; at most two are under way.
pub(crate) const BESIDE_MIN: usize = 16;

/// How often the task that frees the way for the next entry steps back first, so that proposers who were
/// just answered and propose again share that entry: some tens of microseconds, beside the several hundred
/// that an entry costs whatever is in it. Measured with 64 proposers: 32 commands an entry in place of 23.
pub(crate) const REGROUP_YIELDS: u32 = 4;

/// Proposals that wait for the log. A proposer beyond it waits, and holds nothing while it does.
pub(crate) const PROPOSALS_QUEUED_MAX: usize = 1024;

/// Events a subscriber may be behind before it misses some and has to look at the facts again. A
/// thousand tasks with four changes each.
pub(crate) const EVENTS_BEHIND_MAX: usize = 4096;

/// Assignments that wait in a worker's stream. A worker has few slots; one that does not take its
/// assignments is treated as gone, and they are given back.
pub(crate) const ASSIGNMENTS_QUEUED_MAX: usize = 256;

/// Workers joined at a time. Each costs a stream and a share of the leader's memory.
pub(crate) const WORKERS_MAX: usize = 1024;

/// How long a worker of the same name must be silent before another process may join under it: three
/// heartbeats of an idle worker. A restarted worker is not kept waiting by it, because its stream
/// ended with its process.
pub(crate) const NAMESAKE_SILENCE_MS: u64 = 3_000;

/// Warm circuits remembered of a worker: as many as a worker announces.
pub(crate) const WARM_CIRCUITS_MAX: usize = 64;

/// Backends a worker may name, and bytes of a name. There is one today.
pub(crate) const BACKENDS_MAX: usize = 8;
/// See [`BACKENDS_MAX`].
pub(crate) const BACKEND_BYTES_MAX: usize = 64;

/// How long a member that knows no leader, or only one that the worker just lost, keeps a Join before
/// it refuses: an election takes less. The worker then hears of the new leader the moment there is
/// one, instead of asking around.
pub(crate) const JOIN_PATIENCE: Duration = Duration::from_secs(2);

/// Slots a worker may claim. More than a machine's cores is a mistake.
pub(crate) const SLOTS_MAX: u32 = 256;

/// Attempts one message may name: every slot of a worker, and as many that it has lost.
pub(crate) const ATTEMPTS_NAMED_MAX: usize = 2 * SLOTS_MAX as usize;

/// Stages for which progress is remembered. Bounded by the leases; the rest is dropped.
pub(crate) const STAGES_REMEMBERED_MAX: usize = 16 * 1024;

/// Bytes of public inputs read for verifying: 32,768 field elements, sixteen times what the circuits
/// of the default limits can have in their instance columns' declared rows.
pub(crate) const PUBLIC_INPUT_BYTES_MAX: u64 = 1024 * 1024;

/// Log entries between snapshots: the ledger says how many.
pub(crate) const SNAPSHOT_EVERY: u64 = aureole_ledger::limits::SNAPSHOT_ENTRIES as u64;

/// Log entries kept behind a snapshot, for peers that are a little late.
pub(crate) const LOG_KEPT: u64 = 500;

/// Heartbeats between members. Also openraft's patience with one append, an fsync at the other end
/// included: those take milliseconds, and tens of them on a busy disk.
pub(crate) const HEARTBEAT_MS: u64 = 200;
/// The shortest wait before an election, after the leader's lease of `ELECTION_MAX_MS` has ended: a
/// leader is missed after four lost beats, and another stands for election 0.9 to 1.5 s after its
/// loss. Openraft looks at the clock every one and a half beats.
pub(crate) const ELECTION_MIN_MS: u64 = 300;
/// The longest wait before an election, and how long a leader's beat keeps others from standing.
pub(crate) const ELECTION_MAX_MS: u64 = 600;

/// A leader that no majority has answered for this long says that it leads no more: by then the
/// others may follow another. Twice the lease.
pub(crate) const QUORUM_SILENCE_MAX: Duration = Duration::from_millis(2 * ELECTION_MAX_MS);

/// How long a proposal may wait for a majority before its caller is told that nobody knows. Longer
/// than two elections; a caller that waits for a gateway has 30 s.
pub(crate) const PROPOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How long a read waits for a majority to confirm the leader. Three confirmations of one heartbeat
/// each, and room.
pub(crate) const READ_PATIENCE: Duration = Duration::from_secs(1);

/// The pause before a leader that too few confirmed asks again: refusals come at once.
pub(crate) const READ_PAUSE: Duration = Duration::from_millis(20);

/// Entries in one append. At `ENTRY_BYTES_MAX` each they are 16 MiB, of which `APPEND_BYTES_MAX` cuts
/// most; usual entries have under 1 KiB.
pub(crate) const APPEND_ENTRIES_MAX: u64 = 64;

/// Bytes of entries in one append; more is sent in several. One entry of 64 commands of 4 KiB fits
/// eight times, and 2 MiB pass a slow link of 100 Mbit/s in one heartbeat.
pub(crate) const APPEND_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of one message between members: an append and what surrounds it.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Appends on their way to a member whose answers nobody waits for. One a commit, and an append that is
/// waited for comes at the latest with the next beat.
pub(crate) const APPENDS_UNREAD_MAX: usize = 8;

/// Appends that a member takes before its Raft has answered the first: what a leader sends anew meanwhile
/// is told to wait, and costs at most this many times `APPEND_BYTES_MAX`. One is usual, and one more for reads;
/// a leader that gives up waiting, or its successor, brings others.
pub(crate) const APPENDS_AT_ONCE: usize = 8;

/// How recently a member must have answered for news of a commit to be taken as received: half a beat, so
/// that every beat of a leader without work is waited for.
pub(crate) const NEWS_TRUST: Duration = Duration::from_millis(HEARTBEAT_MS / 2);

/// Bytes of a snapshot in one part of its stream: small enough that beats pass between two parts.
pub(crate) const SNAPSHOT_PART_BYTES: usize = 256 * 1024;

/// The longest a snapshot may travel: `SNAPSHOT_BYTES_MAX` at 10 MiB/s, and its fsync.
pub(crate) const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(120);

/// The longest silence within a snapshot's stream before the receiver gives up what it has.
pub(crate) const SNAPSHOT_SILENCE_MAX: Duration = Duration::from_secs(10);

/// Appends or votes without an answer after which a connection is thrown away: one that a partition
/// has swallowed would wait for the kernel's retransmission, a minute or more.
pub(crate) const SILENCES_MAX: u32 = 3;

/// The pause after a member could not be reached: two beats. It bounds how late a member that is
/// back is noticed.
pub(crate) const BACKOFF: Duration = Duration::from_millis(400);

/// How long a member is given to answer who it is.
pub(crate) const HELLO_PATIENCE: Duration = Duration::from_secs(2);

/// The pause between two rounds of asking the other founders.
pub(crate) const FOUNDING_PAUSE: Duration = Duration::from_millis(100);

/// How long a new member is given to catch up before it votes: a snapshot, and the log behind it.
pub(crate) const CATCH_UP_PATIENCE: Duration = Duration::from_secs(180);

/// How many entries a new member may lack when it becomes a voter. The rest follows in one append.
pub(crate) const CATCH_UP_LAG_MAX: u64 = APPEND_ENTRIES_MAX;

/// How long a hand-over may take: an election without waiting, twice tried.
pub(crate) const TRANSFER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a request that was passed on to the leader may take: the longest of its verbs.
pub(crate) const FORWARD_PATIENCE: Duration = Duration::from_secs(200);

/// Members of a group, voters and learners: more voters make it slower, not safer.
pub(crate) const MEMBERS_MAX: usize = 9;

/// Threads of the runtime of Raft. With two, each entry is passed between them several times, which
/// costs a task a tenth more. What one waits for there is a reader of the facts, milliseconds at most;
/// disks and snapshots have threads of their own.
pub(crate) const RAFT_THREADS: usize = 1;

/// Priority of Raft's threads, where the system permits one above normal. Provers have 10.
pub(crate) const RAFT_NICE: i32 = -10;

/// How often Raft's thread lets others run, before it has the facts changed elsewhere because somebody
/// is reading them: a look at one task is over by then.
pub(crate) const READERS_PATIENCE: u32 = 16;

/// How long a start waits for a folder that another process, or this one, is just letting go.
pub(crate) const FOLDER_PATIENCE: Duration = Duration::from_secs(2);

/// Milliseconds between a machine's clock and the cluster's time from which the machine is told of:
/// synchronised clocks are a hundred times closer, and a person comparing logs is misled by more.
pub(crate) const CLOCK_WRONG_MS: u64 = 5_000;

/// How long a start waits for a leader and for the log to be applied.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of the newest entries that the log keeps in memory, as they are encoded: sixteen hundred of 64
/// commands. Only a member that is behind is sent older ones.
pub(crate) const LOG_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes by which the log's file grows, written as zeros beforehand: about a hundred entries of 64
/// commands. More would make the write that meets the end slow.
pub(crate) const LOG_CHUNK_BYTES: u64 = 1024 * 1024;

/// Bytes of the log's file below which it is not written anew to give space back.
pub(crate) const LOG_REWRITE_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// The largest snapshot read into memory: a million tasks at a quarter KiB, with room.
pub(crate) const SNAPSHOT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// How often the log's leaves go to disk and its checkpoint is signed: whoever watches the log sees a
/// proof a second after it was accepted. A receipt that needs one sooner has it signed at once.
pub(crate) const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// How often a member reads its whole log to find rot: a million leaves are 250 MB, half a minute's
/// reading in the background.
pub(crate) const AUDIT_EVERY: Duration = Duration::from_secs(3600);

/// Rounds of the log's upkeep between two audits that suspicion asks for: ten seconds. An audit reads
/// everything, and whoever asks for a bad tile may ask a thousand times a second.
pub(crate) const AUDITS_APART: u32 = 10;

/// How long a member may take to send a tile or a checkpoint: fifty KiB over a slow link.
pub(crate) const LOG_CALL_PATIENCE: Duration = Duration::from_secs(5);

/// Before a clock that does not move by itself, or a wake-up that was missed, delays a deadline: the
/// longest sleep of the planner is `Config::tick`, and the shortest this.
pub(crate) const TICK_MIN: Duration = Duration::from_millis(1);

/// Tasks whose traces are remembered: at some 100 bytes each a MiB, and more than are queued while
/// anybody looks at one of them.
pub(crate) const JOURNEYS_MAX: usize = 10_000;
