//! Leaves on their way to the disk: those that were applied and are not written yet.
//!
//! A leaf that continues what is on disk is never dropped here: the entries that it came with may be
//! purged as soon as a settling says that all is well.

use std::collections::VecDeque;

use aureole_receipts::Leaf;

use crate::limits::{LEAVES_WAITING_MANY, LEAVES_WAITING_MAX};

/// The leaves, in the order in which they were applied.
#[derive(Debug)]
pub(super) struct Waiting {
    leaves: VecDeque<(u64, Leaf)>,
    /// So many leaves are on disk, or were taken to be written there.
    reached: u64,
}

// === impl Waiting ===

impl Waiting {
    /// Starts behind a log of a size.
    pub(super) fn behind(size: u64) -> Self {
        Self {
            leaves: VecDeque::new(),
            reached: size,
        }
    }

    /// Returns how many wait.
    pub(super) fn count(&self) -> usize {
        self.leaves.len()
    }

    /// Returns the index of the first.
    pub(super) fn first(&self) -> Option<u64> {
        self.leaves.front().map(|(index, _)| *index)
    }

    /// Takes a leaf in; says whether with it there are many.
    pub(super) fn push(&mut self, index: u64, leaf: Leaf) -> bool {
        if index < self.reached {
            // Applied again after a restart.
            return false;
        }
        // Behind a gap they cannot be written: whoever fills it sends them as well.
        if self.leaves.len() >= LEAVES_WAITING_MAX && self.first() > Some(self.reached) {
            self.leaves.pop_front();
        }
        self.leaves.push_back((index, leaf));
        self.leaves.len() == LEAVES_WAITING_MANY
    }

    /// Takes those out that continue a log of a size. What stands behind a gap goes on waiting.
    pub(super) fn take(&mut self, size: u64) -> Vec<Leaf> {
        let mut taken = Vec::new();
        self.reached = size;
        while self.first().is_some_and(|index| index <= self.reached) {
            if let Some((index, leaf)) = self.leaves.pop_front()
                && index == self.reached
            {
                taken.push(leaf);
                self.reached += 1;
            }
        }
        taken
    }

    /// Returns those that continue a log of a size; they go on waiting.
    pub(super) fn behind_of(&self, size: u64) -> Vec<Leaf> {
        let later = self.leaves.iter().skip_while(|(index, _)| *index < size);
        let next = (size..).zip(later);
        let next = next.take_while(|(expected, (index, _))| index == expected);
        next.map(|(_, (_, leaf))| leaf.clone()).collect()
    }

    /// Puts back what was taken for a log of a size and could not be written.
    pub(super) fn put_back(&mut self, size: u64, leaves: Vec<Leaf>) {
        for leaf in leaves.into_iter().rev() {
            self.reached -= 1;
            self.leaves.push_front((self.reached, leaf));
        }
        self.reached = size;
    }

    /// Notes that the disk has another number of leaves now.
    pub(super) fn reach(&mut self, size: u64) {
        self.reached = size;
    }
}
