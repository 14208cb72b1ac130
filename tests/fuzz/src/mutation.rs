//! Changes to bytes that look random and can be had again by their seed.

/// Makes variants of a corpus.
#[derive(Clone, Debug)]
pub struct Mutator(u64);

/// Numbers that limits stand beside.
const EDGES: [u32; 10] = [
    0,
    1,
    2,
    15,
    16,
    255,
    65_536,
    i32::MAX.cast_unsigned(),
    i32::MIN.cast_unsigned(),
    u32::MAX,
];

// === impl Mutator ===

impl Mutator {
    /// The changes of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.number() % bound).unwrap_or(0)
    }

    /// One of the corpus after a few changes.
    pub fn variant(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let pick = self.below(corpus.len());
        let mut bytes = corpus.get(pick).cloned().unwrap_or_default();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, corpus);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(6) {
            0 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
            1 => bytes.truncate(at),
            2 => {
                let end = (at + 1 + self.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let edge = EDGES.get(self.below(EDGES.len())).copied().unwrap_or(0);
                for (byte, new) in bytes.iter_mut().skip(at).zip(edge.to_le_bytes()) {
                    *byte = new;
                }
            }
            4 => {
                let other = corpus
                    .get(self.below(corpus.len()))
                    .map_or(&[][..], Vec::as_slice);
                let from = self.below(other.len());
                let piece: Vec<u8> = other
                    .iter()
                    .copied()
                    .skip(from)
                    .take(1 + self.below(64))
                    .collect();
                bytes.splice(at..at, piece);
            }
            _ => {
                let run = vec![self.number().to_le_bytes()[0]; 1 + self.below(40)];
                bytes.splice(at..at, run);
            }
        }
    }
}
