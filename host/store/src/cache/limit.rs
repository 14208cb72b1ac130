//! Rates that all processes count together: a bucket that fills evenly, in one script.
//!
//! The generic cell rate algorithm keeps one time for each name: when its bucket will be full again.
//! The clock is the server's, so processes whose clocks differ count the same.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use super::{Cache, CacheError};

/// One time a name, in microseconds of the server's clock. It goes when the bucket is full.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
        local after = full + interval * cost
        local wait = after - now - interval * burst
        if wait > 0 then
            return math.ceil(wait)
        end
        redis.call('SET', KEYS[1], string.format('%.0f', after),
                   'PX', math.max(1, math.ceil((after - now) / 1000)))
        return 0
        ",
    )
});

/// How much of something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many in a second, in the long run; 1 or more.
    pub per_second: u32,
    /// How many at once after a pause; 1 or more.
    pub burst: u32,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It counts, and there was room.
    Admitted,
    /// It does not count; there is room after this time.
    Later(Duration),
}

// === impl Cache ===

impl Cache {
    /// Takes `cost` from a name's bucket, if it is there.
    ///
    /// # Errors
    /// [`CacheError`]: the limit is not known; whoever asked counts on its own.
    pub async fn take(
        &self,
        name: &str,
        limit: RateLimit,
        cost: u32,
    ) -> Result<Admission, CacheError> {
        // More than the burst would never fit.
        let cost = cost.clamp(1, limit.burst.max(1));
        let key = self.key("rate", name);
        let wait: u64 = self
            .ask("count a request", async move |mut connection| {
                TAKE.key(key)
                    .arg(1_000_000.0 / f64::from(limit.per_second.max(1)))
                    .arg(limit.burst.max(1))
                    .arg(cost)
                    .invoke_async(&mut connection)
                    .await
            })
            .await?;
        Ok(match wait {
            0 => Admission::Admitted,
            micros => Admission::Later(Duration::from_micros(micros)),
        })
    }
}
