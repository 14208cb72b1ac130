//! Chance for Raft: when a member stands for election is drawn at its start, from the system or, in a
//! simulation, from a seed.
//!
//! openraft takes chance from its asynchronous runtime by a function without arguments; this runtime
//! is tokio in everything else.

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend, TokioRuntime};
use rand_core::{RngCore, impls};

tokio::task_local! {
    /// The seed of the simulation that the running start belongs to.
    static SEED: u64;
}

/// Tokio, with chance that can be seeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokio;

/// A stream of numbers: `SplitMix64`. Nothing secret comes of it.
#[derive(Debug)]
pub(crate) struct Draws(u64);

/// Runs a future whose chance comes from a seed.
pub(crate) async fn seeded<F: Future>(seed: u64, future: F) -> F::Output {
    SEED.scope(seed, future).await
}

// === impl Draws ===

impl Draws {
    fn start() -> Self {
        // The standard library's hashers are seeded by the system, each differently.
        let system = |_| RandomState::new().hash_one(0_u8);
        Self(SEED.try_with(|seed| *seed).unwrap_or_else(system))
    }
}

impl RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        // The upper half: it is the better one.
        u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX)
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        impls::fill_bytes_via_next(self, bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl AsyncRuntime for Tokio {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = <TokioRuntime as AsyncRuntime>::Sleep;
    type Instant = <TokioRuntime as AsyncRuntime>::Instant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, F: Future<Output = R> + OptionalSend> =
        <TokioRuntime as AsyncRuntime>::Timeout<R, F>;
    type ThreadLocalRng = Draws;
    type OneshotSender<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotSender<T>;
    type OneshotReceiver<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotReceiver<T>;
    type OneshotReceiverError = <TokioRuntime as AsyncRuntime>::OneshotReceiverError;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        TokioRuntime::spawn(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        TokioRuntime::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        TokioRuntime::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(join_error)
    }

    fn thread_rng() -> Draws {
        Draws::start()
    }

    fn oneshot<T: OptionalSend>() -> (Self::OneshotSender<T>, Self::OneshotReceiver<T>) {
        TokioRuntime::oneshot()
    }
}

#[cfg(test)]
mod tests {
    //! A seed's draws are its own and the same each time; the system's differ.

    use super::*;

    fn draw() -> u64 {
        Tokio::thread_rng().next_u64()
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_chance_each_time_and_the_system_never() {
        assert_ne!(draw(), draw());
        let first = seeded(7, async { draw() }).await;
        assert_eq!(seeded(7, async { draw() }).await, first);
        assert_ne!(seeded(8, async { draw() }).await, first);
    }

    #[test]
    fn bytes_and_halves_come_from_the_same_stream() {
        let mut bytes = [0; 8];
        Draws(3).fill_bytes(&mut bytes);
        assert_eq!(u64::from_le_bytes(bytes), Draws(3).next_u64());
        assert!(Draws(3).try_fill_bytes(&mut bytes).is_ok());
        assert_eq!(u64::from(Draws(3).next_u32()), Draws(3).next_u64() >> 32);
    }
}
