//! Checking inclusion and consistency proofs offline, as RFC 9162 does (2.1.3.2 and 2.1.4.2).
//!
//! A proof shows something of a root, not of a size: sizes of the same shape share proofs. Both
//! therefore come as one [`Head`], from a checkpoint whose signature covers them.

use thiserror::Error;

use crate::{Hash, Head, range};

/// What of a proof does not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The log of this head has no leaf of that index.
    #[error("no leaf {index} in a log of {size}")]
    Beyond {
        /// The index asked for.
        index: u64,
        /// How many leaves there are.
        size: u64,
    },
    /// The later head has fewer leaves: the log was cut.
    #[error("a log of {old} leaves cannot become one of {new}")]
    Shrunk {
        /// The earlier size.
        old: u64,
        /// The later size.
        new: u64,
    },
    /// Two heads of one size have different roots: the log has two histories.
    #[error("two logs of {size} leaves, with roots {old} and {new}")]
    Forked {
        /// The size of both.
        size: u64,
        /// One root.
        old: Hash,
        /// The other.
        new: Hash,
    },
    /// A proof of this place has another number of hashes.
    #[error("a proof of {found} hashes, this one has {expected}")]
    Length {
        /// How many there were.
        found: u64,
        /// How many there must be.
        expected: u64,
    },
    /// The leaf is not at that index under the root.
    #[error("leaf {index} leads to the root {computed}, the log's is {promised}")]
    Inclusion {
        /// The index of the leaf.
        index: u64,
        /// The root that the leaf and the proof give.
        computed: Hash,
        /// The root of the head.
        promised: Hash,
    },
    /// The proof does not start from the earlier root.
    #[error(
        "the earlier log of {size} leaves leads to the root {computed}, its root was {promised}"
    )]
    Earlier {
        /// The earlier size.
        size: u64,
        /// The root that the proof gives for it.
        computed: Hash,
        /// The root of the earlier head.
        promised: Hash,
    },
    /// The proof does not end at the later root.
    #[error("the later log of {size} leaves leads to the root {computed}, its root is {promised}")]
    Later {
        /// The later size.
        size: u64,
        /// The root that the proof gives for it.
        computed: Hash,
        /// The root of the later head.
        promised: Hash,
    },
}

/// Checks that a leaf stands at an index in the log of a head.
///
/// # Errors
/// [`ProofError::Beyond`], [`ProofError::Length`] or [`ProofError::Inclusion`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    proof: &[Hash],
    head: &Head,
) -> Result<(), ProofError> {
    let size = head.size;
    if index >= size {
        return Err(ProofError::Beyond { index, size });
    }
    check_length(proof.len(), range::inclusion(index, size).len())?;
    let mut at = index;
    let mut last = size - 1;
    let mut computed = *leaf;
    for sibling in proof {
        if at & 1 == 1 || at == last {
            computed = Hash::of_node(sibling, &computed);
            skip_lone_levels(&mut at, &mut last);
        } else {
            computed = Hash::of_node(&computed, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if computed != head.root {
        return Err(ProofError::Inclusion {
            index,
            computed,
            promised: head.root,
        });
    }
    Ok(())
}

/// Checks that the log of a later head has the leaves of an earlier one, unchanged, in its front.
///
/// # Errors
/// Every variant of [`ProofError`] but [`ProofError::Beyond`] and [`ProofError::Inclusion`].
pub fn verify_consistency(old: &Head, new: &Head, proof: &[Hash]) -> Result<(), ProofError> {
    if old.size > new.size {
        return Err(ProofError::Shrunk {
            old: old.size,
            new: new.size,
        });
    }
    check_length(proof.len(), range::consistency(old.size, new.size).len())?;
    if old.size == 0 {
        check_earlier(old, Hash::empty())?;
    }
    if old.size == new.size && old.root != new.root {
        return Err(ProofError::Forked {
            size: old.size,
            old: old.root,
            new: new.root,
        });
    }
    if old.size == 0 || old.size == new.size {
        return Ok(());
    }
    let (earlier, later) = replay(old, new, proof);
    check_earlier(old, earlier)?;
    if later != new.root {
        return Err(ProofError::Later {
            size: new.size,
            computed: later,
            promised: new.root,
        });
    }
    Ok(())
}

/// Computes both roots from a consistency proof of the right length.
fn replay(old: &Head, new: &Head, proof: &[Hash]) -> (Hash, Hash) {
    let mut hashes = proof.iter();
    let mut at = old.size - 1;
    let mut last = new.size - 1;
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // The proof leaves out the old root where that is itself a subtree of the new tree.
    let whole = old.size.is_power_of_two();
    let start = if whole { None } else { hashes.next() };
    let mut earlier = *start.unwrap_or(&old.root);
    let mut later = earlier;
    for sibling in hashes {
        if at & 1 == 1 || at == last {
            earlier = Hash::of_node(sibling, &earlier);
            later = Hash::of_node(sibling, &later);
            skip_lone_levels(&mut at, &mut last);
        } else {
            later = Hash::of_node(&later, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (earlier, later)
}

/// At the tree's right edge a node may have no sibling for some levels; there it is its own parent.
fn skip_lone_levels(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        *at >>= 1;
        *last >>= 1;
    }
}

fn check_length(found: usize, expected: usize) -> Result<(), ProofError> {
    if found != expected {
        return Err(ProofError::Length {
            found: found as u64,
            expected: expected as u64,
        });
    }
    Ok(())
}

fn check_earlier(old: &Head, computed: Hash) -> Result<(), ProofError> {
    if computed != old.root {
        return Err(ProofError::Earlier {
            size: old.size,
            computed,
            promised: old.root,
        });
    }
    Ok(())
}
