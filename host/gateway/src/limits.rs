//! Every number the gateway refuses by, each with its reason. [`crate::Config`] starts from these.

use std::time::Duration;

/// Bytes of a component. The largest first-party plugin has well under one MiB; Orchard's circuit
/// compiled for the sandbox has 1.6. The same limit stands in the ledger.
pub const COMPONENT_MAX: u64 = 8 * 1024 * 1024;

/// Bytes of a JSON body: 65,536 leaves of a Merkle tree take 4.5 MB.
pub const JSON_MAX: u64 = 8 * 1024 * 1024;

/// Nesting of a JSON document. Real inputs have under ten levels; serde_json's own 128 and the
/// stack of a worker thread are far away.
pub const JSON_DEPTH_MAX: u32 = 64;

/// Values in a JSON document. A value takes 32 bytes in memory and may take two on the wire, so a
/// body of the largest size would grow sixteenfold; a million values are 32 MB and fifteen times
/// what the largest Merkle input needs.
pub const JSON_VALUES_MAX: u32 = 1_000_000;

/// Bytes of JSON bodies being read at the same time: eight of the largest. Past it a body is
/// refused with `node.busy`, never queued, because a reader that waits holds a connection.
pub const JSON_IN_FLIGHT_MAX: u64 = 64 * 1024 * 1024;

/// How long a caller may wait for an answer. Proxies cut at 60 s.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// The wait of `POST /plugins`, `POST /circuits` and `POST /tasks/{name}` when none is asked for:
/// long enough for keys and a proof at k = 14, so that the plain call gives the whole answer.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(30);

/// Connections at a time. A thousand callers with two threads of proving behind them wait anyway;
/// past it a connection gets 503 and is closed.
pub const CONNECTIONS_MAX: u32 = 1024;

/// Requests in work at a time over all connections; HTTP/2 carries several on one. Past it a
/// request gets 503. Health is exempt.
pub const REQUESTS_MAX: u32 = 2048;

/// Requests of one tenant in work at a time, those that wait for a task included: half of all, so that
/// nobody takes every slot.
pub const REQUESTS_OF_TENANT_MAX: u32 = REQUESTS_MAX / 2;

/// Streams of one HTTP/2 connection: a browser or client library needs a few.
pub const STREAMS_MAX: u32 = 32;

/// How long the head of a request may take, and an idle connection may stay.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a request's head. Ours have under one KiB; hyper's smallest buffer is 8 KiB.
pub const HEAD_MAX: u32 = 16 * 1024;

/// Header fields of a request. Browsers send about twenty.
pub const HEADERS_MAX: u32 = 64;

/// How long a body may pause.
pub const BODY_PAUSE_MAX: Duration = Duration::from_secs(10);

/// How long a body may take in all: 8 MiB at about half a megabit a second.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(120);

/// How long an answered request's bytes may take to leave before the connection is dropped.
pub const FLUSH_TIME_MAX: Duration = Duration::from_secs(60);

/// How long requests in work may go on after a stop was asked for. Waits are cut short at once,
/// so only an upload takes time.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Bytes of an Authorization header. A key has 61; a token of an identity provider has one or two
/// KiB.
pub const CREDENTIAL_MAX: u32 = 8 * 1024;

/// Requests a second of one key: two orders over what a console and its scripts ask for, and what
/// a gateway on two cores answers without making others wait.
pub const KEY_RATE: u32 = 1_000;

/// Requests a second of all keys of a tenant together: two keys at full speed.
pub const TENANT_RATE: u32 = 2_000;

/// Buckets that are kept before full ones are dropped: as many as the ledger has keys, at some 100
/// bytes each.
pub const BUCKETS_MAX: u32 = 10_000;

/// Longest cursor.
pub const CURSOR_MAX: u32 = 128;

/// Longest Idempotency-Key.
pub const IDEMPOTENCY_KEY_MAX: u32 = 128;

/// Longest Idempotency-Key of a batch: with a dash and the place of an item it is still one.
pub const BATCH_KEY_MAX: u32 = IDEMPOTENCY_KEY_MAX - 4;

/// Submissions of one batch that are worked on at a time: enough to fill the log's batches, few
/// enough that a batch is one of many callers.
pub const BATCH_AT_ONCE: u32 = 16;

/// Watchers of tasks at a time, over all tasks; one more is `node.busy`. Each holds a connection
/// and a few hundred bytes.
pub const WATCHERS_MAX: u32 = 2048;

/// Watchers of one tenant at a time: half of all, so that nobody takes every place.
pub const WATCHERS_OF_TENANT_MAX: u32 = WATCHERS_MAX / 2;

/// Watchers of health at a time, in places of their own: it needs no key. A balancer takes one for
/// each of its connections.
pub const HEALTH_WATCHERS_MAX: u32 = 32;

/// How long health is watched in one call: a watcher that is still there calls again.
pub const HEALTH_WATCH_MAX: Duration = Duration::from_secs(600);

/// How long a task is watched with a token of an identity provider, which may have ended meanwhile:
/// the watcher comes again with a fresh one.
pub const TOKEN_WATCH_MAX: Duration = Duration::from_secs(300);

/// The least time between two events of a watched task that are not its end: people see no
/// difference, and a task that changes all the time is told twenty times a second.
pub const EVENTS_APART: Duration = Duration::from_millis(50);

/// Looks within that time, for the end of the task, which is told at once. A task that is proved in
/// such a moment has four changes.
pub const LOOKS_APART: u32 = 4;

/// Events that wait for a watcher that reads slowly; with one more it is dropped. A task has about
/// ten.
pub const EVENTS_BEHIND_MAX: u32 = 16;

/// How often a watched task's estimate is made anew while nothing else changes.
pub const ESTIMATE_EVERY: Duration = Duration::from_secs(5);

/// How long a stream may be silent before a comment shows that it lives. Proxies cut at 30 s and
/// more.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long a stream that goes on may not be read before its connection counts as idle: three
/// heartbeats.
pub const STREAM_STALL_MAX: Duration = Duration::from_secs(30);

/// Longest Last-Event-ID that is looked at; ours have under forty characters.
pub const EVENT_ID_MAX: u32 = 64;

/// Bytes of a gRPC message: what gRPC libraries take unless told otherwise. A larger input goes over
/// REST.
pub const MESSAGE_MAX: u64 = 4 * 1024 * 1024 + 5;

/// Fields of a gRPC message, counted before it is decoded: ten batches of tasks, or more public inputs
/// by name than any circuit has. An empty message in a list takes two bytes on the wire and seventy times
/// that in memory.
pub const MESSAGE_FIELDS_MAX: u32 = 1_000;

/// Bytes of a message that needs no key (health, reflection): the name of a service or symbol.
pub const OPEN_MESSAGE_MAX: u64 = 16 * 1024;

/// Bytes of the messages of one upload: the largest component, and the frames around its parts.
pub const UPLOAD_MESSAGES_MAX: u64 = COMPONENT_MAX + COMPONENT_MAX / 4;

/// Bytes in a part of a download over gRPC: far below what a message may have, and few enough
/// frames.
pub const PART_BYTES: u32 = 256 * 1024;

/// Characters of a problem's detail in a gRPC status: percent-encoded they take up to twelve bytes
/// each, and clients take 16 KiB of head.
pub const GRPC_DETAIL_MAX: u32 = 1024;

/// Longest request id that is echoed.
pub const REQUEST_ID_MAX: u32 = 64;

/// Tasks in a page: at most, and when the caller names no number.
pub const PAGE_MAX: u32 = 200;
/// See [`PAGE_MAX`].
pub const PAGE_DEFAULT: u32 = 50;
