//! How a member that does not lead says who does: metadata of a gRPC refusal.
//!
//! The refusal is `UNAVAILABLE`, which any client may retry; one that knows this page goes to the
//! leader at once. Addresses are `host:port`. Whoever reads them treats them as hints: a wrong one
//! costs a connection, and the transport's own authentication decides whom to believe.

use tonic::Status;
use tonic::metadata::MetadataValue;

/// Marks the refusal of a member that does not lead.
const NOT_LEADER: &str = "aureole-not-leader";
/// The leader's address, where it is known.
const LEADER: &str = "aureole-leader";
/// The members' addresses, separated by commas.
const COORDINATORS: &str = "aureole-coordinators";

/// Bytes of an address: the longest host name, a colon and a port.
pub const ADDRESS_BYTES_MAX: usize = 253 + 6;

/// Members named in one refusal. A group has three or five, twice that during a change.
pub const COORDINATORS_MAX: usize = 16;

/// Where to go instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirect {
    /// The leader; nobody during an election.
    pub leader: Option<String>,
    /// The members, the refusing one included.
    pub coordinators: Vec<String>,
}

// === impl Redirect ===

impl Redirect {
    /// Makes the refusal. An address that is none is left out.
    #[must_use]
    pub fn into_status(self) -> Status {
        let leader = self.leader.filter(|address| is_address(address));
        let message = leader.as_ref().map_or_else(
            || "this member does not lead the group, and knows of no leader".to_owned(),
            |leader| format!("this member does not lead the group: {leader} does"),
        );
        let mut status = Status::unavailable(message);
        let metadata = status.metadata_mut();
        metadata.insert(NOT_LEADER, MetadataValue::from_static("1"));
        let coordinators: Vec<String> = self
            .coordinators
            .into_iter()
            .filter(|address| is_address(address))
            .take(COORDINATORS_MAX)
            .collect();
        let listed = [
            (LEADER, leader),
            (COORDINATORS, Some(coordinators.join(","))),
        ];
        for (key, value) in listed {
            // An address has no character that a header may not have.
            if let Some(Ok(value)) = value.map(|value| MetadataValue::try_from(value.as_str())) {
                metadata.insert(key, value);
            }
        }
        status
    }

    /// Reads a refusal; `None` when it is about something else.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        let metadata = status.metadata();
        metadata.get(NOT_LEADER)?;
        let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
        let addresses = |text: &str| -> Vec<String> {
            text.split(',')
                .filter(|address| is_address(address))
                .take(COORDINATORS_MAX)
                .map(str::to_owned)
                .collect()
        };
        Some(Self {
            leader: text(LEADER).and_then(|text| addresses(text).into_iter().next()),
            coordinators: text(COORDINATORS).map(addresses).unwrap_or_default(),
        })
    }
}

/// Says whether a text can be a `host:port`: bounded, a port, and nothing that a host cannot have.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:%".contains(&byte);
    text.len() <= ADDRESS_BYTES_MAX
        && !host.is_empty()
        && host.bytes().all(in_host)
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_who_leads_and_who_the_members_are() {
        let redirect = Redirect {
            leader: Some("b.example:7402".to_owned()),
            coordinators: vec!["10.0.0.1:7402".to_owned(), "[::1]:7402".to_owned()],
        };
        let status = redirect.clone().into_status();
        assert_eq!(status.code(), tonic::Code::Unavailable);
        assert!(status.message().contains("b.example:7402"));
        assert_eq!(Redirect::of(&status).unwrap(), redirect);
    }

    #[test]
    fn during_an_election_a_refusal_names_nobody() {
        let status = Redirect::default().into_status();
        assert_eq!(Redirect::of(&status).unwrap(), Redirect::default());
    }

    #[test]
    fn another_refusal_is_no_redirect() {
        assert_eq!(Redirect::of(&Status::unavailable("busy")), None);
    }

    #[test]
    fn what_cannot_be_an_address_is_left_out() {
        let long = format!("{}:1", "a".repeat(ADDRESS_BYTES_MAX));
        for address in [
            "",
            "host",
            ":1",
            "host:",
            "host:70000",
            "a b:1",
            "a,b:1",
            "a\n:1",
            &long,
        ] {
            assert!(!is_address(address), "{address:?}");
        }
        let redirect = Redirect {
            leader: Some("evil\r\nheader:1".to_owned()),
            coordinators: vec!["nowhere".to_owned(), "good:1".to_owned()],
        };
        let seen = Redirect::of(&redirect.into_status()).unwrap();
        assert_eq!(seen.leader, None);
        assert_eq!(seen.coordinators, ["good:1"]);
    }
}
