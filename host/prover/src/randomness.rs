//! The operating system's randomness, a page at a time.
//!
//! There is no seed and no state but bytes not yet used; bytes handed out are wiped. If the
//! system has no randomness to give, the draw panics and the proof attempt fails as
//! [`Error::Panicked`](crate::Error::Panicked): halo2's random functions have no error path.

use std::{convert::Infallible, fmt};

use getrandom::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize;

use crate::limits::RANDOM_BUFFER_BYTES;

/// A source of blinding factors. Not `Clone`: two proofs never share bytes.
pub(crate) struct OsRandomness {
    buffer: [u8; RANDOM_BUFFER_BYTES],
    used: usize,
}

// === impl OsRandomness ===

impl OsRandomness {
    /// An empty buffer; the first draw fills it.
    pub(crate) fn new() -> Self {
        Self {
            buffer: [0; RANDOM_BUFFER_BYTES],
            used: RANDOM_BUFFER_BYTES,
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        if self.buffer.len().saturating_sub(self.used) < N {
            self.refill();
        }
        let end = self.used.saturating_add(N);
        let mut out = [0; N];
        let drawn = self.buffer.get_mut(self.used..end);
        assert!(drawn.is_some(), "a draw is far smaller than the buffer");
        if let Some(drawn) = drawn {
            out.copy_from_slice(drawn);
            drawn.zeroize();
        }
        self.used = end;
        out
    }

    fn refill(&mut self) {
        let filled = getrandom::fill(&mut self.buffer);
        assert!(
            filled.is_ok(),
            "the operating system gave no randomness: {filled:?}"
        );
        self.used = 0;
    }
}

impl TryRng for OsRandomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.take()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.take()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word: [u8; 8] = self.take();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for OsRandomness {}

impl Drop for OsRandomness {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

impl fmt::Debug for OsRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OsRandomness").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use getrandom::rand_core::Rng;

    use super::*;

    #[test]
    fn words_across_several_pages_never_repeat() {
        let mut source = OsRandomness::new();
        let words: BTreeSet<u64> = (0..4 * RANDOM_BUFFER_BYTES / 8)
            .map(|_| source.next_u64())
            .collect();
        assert_eq!(words.len(), 4 * RANDOM_BUFFER_BYTES / 8);
    }

    #[test]
    fn bytes_handed_out_are_wiped_from_the_buffer() {
        let mut source = OsRandomness::new();
        source.next_u64();
        source.next_u32();
        assert_eq!(source.buffer.first_chunk::<12>(), Some(&[0; 12]));
    }

    #[test]
    fn a_fill_of_odd_length_reaches_its_last_byte() {
        let mut source = OsRandomness::new();
        let mut lasts = BTreeSet::new();
        for _ in 0..64 {
            let mut bytes = [0; 13];
            source.fill_bytes(&mut bytes);
            lasts.insert(bytes[12]);
        }
        assert!(lasts.len() > 1);
    }
}
