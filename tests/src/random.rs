//! Numbers that look random and can be had again by their seed.

/// SplitMix64. Only for choosing what a test does; nothing secret comes of it.
#[derive(Clone, Debug)]
pub struct Random(u64);

// === impl Random ===

impl Random {
    /// A fresh seed, or the one in `AUREOLE_TEST_SEED`; it is printed, so that a failed test's
    /// output says how to have the same choices again.
    ///
    /// # Errors
    /// When the system gives no randomness, or the variable holds no number.
    pub fn seeded() -> anyhow::Result<Self> {
        let seed = match std::env::var("AUREOLE_TEST_SEED") {
            Ok(text) => text.parse()?,
            Err(_) => getrandom::u64()?,
        };
        eprintln!("choices can be had again with AUREOLE_TEST_SEED={seed}");
        Ok(Self(seed))
    }

    /// The choices of a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// Other choices, which follow from these.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// One of several.
    pub fn one_of<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let index = self.below(several.len() as u64);
        several.get(usize::try_from(index).ok()?)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// A field element with a canonical form: its first byte is zero.
    pub fn element(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.number().to_be_bytes());
        }
        bytes[0] = 0;
        bytes
    }
}
