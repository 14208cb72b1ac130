//! Which parts of the tree a proof is made of: ranges of leaves, and the perfect subtrees in them.
//!
//! Every hash of a proof is the hash over a range of leaves that starts at a multiple of a power of
//! two and ends where the tree's shape says (RFC 9162, 2.1.3 and 2.1.4). No hash is computed here.

/// A perfect subtree: the leaves from `index << level`, `1 << level` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subtree {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

/// Consecutive leaves whose hash is one hash of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

// === impl Range ===

impl Range {
    /// Returns the range of the first `size` leaves.
    pub(crate) fn whole(size: u64) -> Self {
        Self {
            start: 0,
            end: size,
        }
    }

    /// Returns the perfect subtrees that fill the range from the left, each smaller than the one
    /// before.
    pub(crate) fn subtrees(self) -> impl Iterator<Item = Subtree> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let level = (self.end.checked_sub(start)?).checked_ilog2()?;
            let subtree = Subtree {
                level,
                index: start >> level,
            };
            start += 1 << level;
            Some(subtree)
        })
    }

    /// Where the tree over this range of at least two leaves parts: after the largest power of two
    /// that is smaller than its length.
    fn split(self) -> u64 {
        let half = (self.end - self.start - 1).ilog2();
        self.start + (1 << half)
    }
}

/// The ranges of the inclusion proof of a leaf, the one beside the leaf first.
///
/// `index` must be below `size`; for others there are none.
pub(crate) fn inclusion(index: u64, size: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut within = Range::whole(size);
    while index < size && within.end - within.start > 1 {
        let split = within.split();
        let (left, right) = halves(within, split);
        if index < split {
            ranges.push(right);
            within = left;
        } else {
            ranges.push(left);
            within = right;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges of the consistency proof from an earlier size, the innermost first.
///
/// There are none when a tree without leaves grows or when the sizes are equal: there the roots alone
/// say all.
pub(crate) fn consistency(old: u64, new: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    if old == 0 || old >= new {
        return ranges;
    }
    let mut within = Range::whole(new);
    while old != within.end {
        let split = within.split();
        let (left, right) = halves(within, split);
        if old <= split {
            ranges.push(right);
            within = left;
        } else {
            ranges.push(left);
            within = right;
        }
    }
    // What is left ends where the old tree does. If it is the whole old tree, the verifier has its
    // root already.
    if within.start != 0 {
        ranges.push(within);
    }
    ranges.reverse();
    ranges
}

fn halves(range: Range, split: u64) -> (Range, Range) {
    let left = Range {
        start: range.start,
        end: split,
    };
    let right = Range {
        start: split,
        end: range.end,
    };
    (left, right)
}
