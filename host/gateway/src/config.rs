//! The gateway's settings: limits of bytes, counts and time. `Default` is what a node runs with.

use std::time::Duration;

use ipnet::IpNet;

use crate::limits;

/// What the gateway refuses and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of an uploaded component.
    pub component_max: u64,
    /// Bytes of a JSON body.
    pub json_max: u64,
    /// Bytes of JSON bodies being read at the same time, over all requests.
    pub json_in_flight_max: u64,
    /// Connections at a time; one more gets 503.
    pub connections_max: u32,
    /// Requests in work at a time; one more gets 503.
    pub requests_max: u32,
    /// Requests of one tenant in work at a time; one more gets 429.
    pub tenant_requests_max: u32,
    /// How long the head of a request may take, and an idle connection may stay.
    pub head_timeout: Duration,
    /// How long a body may pause.
    pub body_pause_max: Duration,
    /// How long a body may take in all.
    pub body_time_max: Duration,
    /// How long answered bytes may take to leave.
    pub flush_time_max: Duration,
    /// How long requests in work may go on after a stop was asked for.
    pub drain_time_max: Duration,
    /// Watchers of tasks at a time; one more gets 503.
    pub watchers_max: u32,
    /// How long a task is watched with a token before its watcher has to come again.
    pub token_watch_max: Duration,
    /// How long a stream of events may be silent before a comment is sent.
    pub heartbeat: Duration,
    /// How long a stream that goes on may not be read before its connection counts as idle.
    pub stream_stall_max: Duration,
    /// Proxies whose word on who calls counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The wait of a registration or named submission that asks for none; at most 60 s.
    pub wait_default: Duration,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            component_max: limits::COMPONENT_MAX,
            json_max: limits::JSON_MAX,
            json_in_flight_max: limits::JSON_IN_FLIGHT_MAX,
            connections_max: limits::CONNECTIONS_MAX,
            requests_max: limits::REQUESTS_MAX,
            tenant_requests_max: limits::REQUESTS_OF_TENANT_MAX,
            head_timeout: limits::HEAD_TIMEOUT,
            body_pause_max: limits::BODY_PAUSE_MAX,
            body_time_max: limits::BODY_TIME_MAX,
            flush_time_max: limits::FLUSH_TIME_MAX,
            drain_time_max: limits::DRAIN_TIME_MAX,
            watchers_max: limits::WATCHERS_MAX,
            token_watch_max: limits::TOKEN_WATCH_MAX,
            heartbeat: limits::HEARTBEAT,
            stream_stall_max: limits::STREAM_STALL_MAX,
            trusted_proxies: Vec::new(),
            wait_default: limits::WAIT_DEFAULT,
        }
    }
}
