//! How a group comes about, once.
//!
//! Of several founders the one with the lowest id founds, and only when every other has answered
//! that it is empty: a founder with data means that the group exists, and that this member's folder
//! is empty because its disk was lost. Such a member must not found a second group, nor pass for the
//! one that voted. The others wait to be told.

use std::collections::BTreeMap;

use thiserror::Error;

use super::Group;
use crate::config::Founding;
use crate::limits::{FOUNDING_PAUSE, START_PATIENCE};
use crate::network::PeerError;
use crate::raft::{Member, Raft};

/// Why a group does not come about.
#[derive(Debug, Error)]
pub(crate) enum FoundingError {
    /// A founder belongs to a group already.
    #[error(
        "member {founder} at {address} belongs to a group already, and this member {member} has no \
         data: its disk was lost, or its folder is the wrong one. Remove member {member} from the \
         group and add it again, or start it under a new id and add that"
    )]
    Exists {
        member: u64,
        founder: u64,
        address: String,
    },
    /// Another member answers at a founder's address.
    #[error("member {found} answers at {address}, where member {founder} should be")]
    Another {
        founder: u64,
        found: u64,
        address: String,
    },
    /// Raft refuses.
    #[error("the group cannot be founded: {reason}")]
    Raft { reason: String },
}

/// Founds the group if that is this member's part. Returns when nothing is left to do.
pub(crate) async fn found(group: &Group, founding: &Founding) -> Result<(), FoundingError> {
    let raft = |reason: String| FoundingError::Raft { reason };
    let initialized = group.raft.is_initialized().await;
    if initialized.map_err(|error| raft(error.to_string()))? {
        return Ok(());
    }
    let Founding::Founders(founders) = founding else {
        return Ok(());
    };
    let me = group.identity.member;
    if founders.keys().next() != Some(&me) {
        return Ok(());
    }
    let mut members = BTreeMap::from([(me, group.me())]);
    let mut asked = 0_u32;
    while members.len() < founders.len() {
        for (&founder, address) in founders {
            if members.contains_key(&founder) {
                continue;
            }
            match group.network.hello(address).await {
                Ok(hello) => {
                    if hello.member != founder {
                        return Err(FoundingError::Another {
                            founder,
                            found: hello.member,
                            address: address.clone(),
                        });
                    }
                    if hello.has_data {
                        return Err(FoundingError::Exists {
                            member: me,
                            founder,
                            address: address.clone(),
                        });
                    }
                    let member = Member {
                        address: address.clone(),
                        incarnation: hello.incarnation,
                    };
                    members.insert(founder, member);
                }
                Err(error) => waiting(asked, founder, &error),
            }
        }
        asked = asked.saturating_add(1);
        tokio::time::sleep(FOUNDING_PAUSE).await;
    }
    group
        .raft
        .initialize(members)
        .await
        .map_err(|error| raft(error.to_string()))
}

/// Says now and then whom the group waits for.
fn waiting(asked: u32, founder: u64, error: &PeerError) {
    if asked.is_multiple_of(100) {
        tracing::info!(founder, %error, "waiting for a founder");
    }
}

/// Makes a group of one on the first start, and waits until this member leads it.
pub(crate) async fn alone(raft: &Raft, id: u64, me: Member) -> Result<(), FoundingError> {
    let failed = |reason: String| FoundingError::Raft { reason };
    let initialized = raft.is_initialized().await;
    if !initialized.map_err(|error| failed(error.to_string()))? {
        raft.initialize(BTreeMap::from([(id, me)]))
            .await
            .map_err(|error| failed(error.to_string()))?;
    } else if raft.metrics().borrow().state != openraft::ServerState::Leader {
        // Killed while it was voting: the only voter need not wait for an election timeout.
        raft.trigger()
            .elect()
            .await
            .map_err(|error| failed(error.to_string()))?;
    }
    raft.wait(Some(START_PATIENCE))
        .metrics(
            |metrics| metrics.state == openraft::ServerState::Leader,
            "leadership",
        )
        .await
        .map(|_| ())
        .map_err(|error| failed(error.to_string()))
}
