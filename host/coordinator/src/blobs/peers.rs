//! Who the members are, and how each is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tonic::transport::Channel;

use crate::dial::{Dial, DialError};

/// The members as this one knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// This member.
    pub me: u64,
    /// The sets of voters; two while the membership changes, and then a majority of each counts.
    pub voters: Vec<BTreeSet<u64>>,
    /// Every member's address, learners' and this one's included.
    pub addresses: BTreeMap<u64, String>,
}

/// Tells who the members are and reaches them. Called often; must not block.
pub trait Peers: Send + Sync + fmt::Debug + 'static {
    /// The members as of now.
    fn group(&self) -> Membership;

    /// A channel to a member's address.
    ///
    /// # Errors
    /// The address cannot be dialled.
    fn channel(&self, address: &str) -> Result<Channel, DialError>;
}

/// Asks for the members.
type Ask = Box<dyn Fn() -> Membership + Send + Sync>;

/// The members of a coordinator that starts later than what needs to reach them: until it is
/// attached there are none, and whatever needs a majority is refused.
pub struct Links {
    dial: Arc<dyn Dial>,
    ask: OnceLock<Ask>,
    channels: Mutex<BTreeMap<String, Channel>>,
}

// === impl Membership ===

impl Membership {
    /// Every member but this one.
    pub fn others(&self) -> impl Iterator<Item = (u64, &str)> {
        let others = self.addresses.iter().filter(|(id, _)| **id != self.me);
        others.map(|(id, address)| (*id, address.as_str()))
    }

    /// Whether these members are a majority of every set of voters. Without voters nobody is.
    #[must_use]
    pub fn is_majority(&self, members: &BTreeSet<u64>) -> bool {
        let majority =
            |voters: &BTreeSet<u64>| voters.intersection(members).count() > voters.len() / 2;
        !self.voters.is_empty() && self.voters.iter().all(majority)
    }

    /// How many voters of the set that is shortest of its majority have it, how many must, and how
    /// many there are.
    #[must_use]
    pub fn tally(&self, members: &BTreeSet<u64>) -> (u32, u32, u32) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let of = |voters: &BTreeSet<u64>| {
            let have = voters.intersection(members).count();
            (
                count(have),
                count(voters.len() / 2 + 1),
                count(voters.len()),
            )
        };
        let tallies = self.voters.iter().map(of);
        tallies
            .min_by_key(|(have, needed, _)| i64::from(*have) - i64::from(*needed))
            .unwrap_or((0, 1, 0))
    }
}

// === impl Links ===

impl Links {
    /// Makes links that lead nowhere yet.
    pub fn new(dial: Arc<dyn Dial>) -> Self {
        Self {
            dial,
            ask: OnceLock::new(),
            channels: Mutex::default(),
        }
    }

    /// Says from now on who the members are. Only the first call counts.
    pub fn attach(&self, ask: impl Fn() -> Membership + Send + Sync + 'static) {
        let _ = self.ask.set(Box::new(ask));
    }
}

impl Peers for Links {
    fn group(&self) -> Membership {
        self.ask.get().map(|ask| ask()).unwrap_or_default()
    }

    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(address) {
            return Ok(channel.clone());
        }
        let channel = self.dial.channel(address)?;
        let group = self.group();
        // Channels to members that left are closed.
        channels.retain(|kept, _| group.addresses.values().any(|address| address == kept));
        channels.insert(address.to_owned(), channel.clone());
        Ok(channel)
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("dial", &self.dial)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(voters: &[&[u64]]) -> Membership {
        Membership {
            me: 1,
            voters: voters
                .iter()
                .map(|set| set.iter().copied().collect())
                .collect(),
            addresses: BTreeMap::new(),
        }
    }

    #[test]
    fn a_majority_is_more_than_half_of_every_set() {
        let (one, two, three) = ([1].into(), [1, 2].into(), [1, 2, 4].into());
        assert!(group(&[&[1]]).is_majority(&one));
        assert!(!group(&[&[1, 2]]).is_majority(&one));
        assert!(!group(&[&[1, 2, 3]]).is_majority(&one));
        assert!(group(&[&[1, 2, 3]]).is_majority(&two));
        assert!(!group(&[&[1, 2, 3], &[3, 4, 5]]).is_majority(&two));
        assert!(!group(&[&[1, 2, 3], &[3, 4, 5]]).is_majority(&three));
        assert!(group(&[&[1, 2, 3], &[2, 3, 4]]).is_majority(&three));
        assert!(!group(&[]).is_majority(&three));
    }

    #[test]
    fn a_learner_counts_for_nothing() {
        let members = [1, 9].into();
        assert!(!group(&[&[1, 2, 3]]).is_majority(&members));
        assert_eq!(group(&[&[1, 2, 3]]).tally(&members), (1, 2, 3));
    }

    #[test]
    fn the_tally_is_of_the_set_that_lacks_most() {
        let members = [1, 2].into();
        assert_eq!(group(&[&[1, 2, 3], &[3, 4, 5]]).tally(&members), (0, 2, 3));
        assert_eq!(group(&[]).tally(&members), (0, 1, 0));
    }
}
