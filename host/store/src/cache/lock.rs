//! A lock with an owner and an end, for work that one process at a time should do.
//!
//! It saves work and guarantees nothing: whoever stood still past its end has lost it, and a server
//! that forgets gives it twice. What it guards must do no harm when two do it.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use super::{Cache, CacheError, millis};

/// Only the owner's lock is taken away.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end \
         return 0",
    )
});

/// Only the owner's lock is kept longer.
static EXTEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then \
         return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0",
    )
});

/// A lock that is held until its end. Dropped without being released, it stays until then.
#[derive(Debug)]
pub struct Lock {
    cache: Cache,
    key: String,
    /// Random, so that nobody releases what is no longer theirs.
    token: String,
}

// === impl Cache ===

impl Cache {
    /// Takes a lock for a while; `None` if another has it.
    ///
    /// # Errors
    /// [`CacheError`]: it is not known whether somebody has it.
    pub async fn lock(&self, name: &str, hold: Duration) -> Result<Option<Lock>, CacheError> {
        let action = "take a lock";
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(|_| CacheError::Resting { action })?;
        let (key, token) = (self.key("lock", name), hex::encode(token));
        let mut command = redis::cmd("SET");
        command
            .arg(&key)
            .arg(&token)
            .arg("NX")
            .arg("PX")
            .arg(millis(hold));
        let taken: Option<String> = self.command(action, &command).await?;
        Ok(taken.map(|_| Lock {
            cache: self.clone(),
            key,
            token,
        }))
    }
}

// === impl Lock ===

impl Lock {
    /// Gives the lock back; says whether it was still held.
    ///
    /// # Errors
    /// [`CacheError`]: it ends by itself.
    pub async fn release(self) -> Result<bool, CacheError> {
        let (key, token) = (self.key, self.token);
        let released: u64 = self
            .cache
            .ask("give a lock back", async move |mut connection| {
                RELEASE
                    .key(key)
                    .arg(token)
                    .invoke_async(&mut connection)
                    .await
            })
            .await?;
        Ok(released == 1)
    }

    /// Holds the lock from now on for this long; says whether it was still held.
    ///
    /// # Errors
    /// [`CacheError`]: it is not known whether it is held.
    pub async fn extend(&self, hold: Duration) -> Result<bool, CacheError> {
        let (key, token) = (self.key.clone(), self.token.clone());
        let extended: u64 = self
            .cache
            .ask("hold a lock longer", async move |mut connection| {
                let mut script = EXTEND.key(key);
                script.arg(token).arg(millis(hold));
                script.invoke_async(&mut connection).await
            })
            .await?;
        Ok(extended == 1)
    }
}
