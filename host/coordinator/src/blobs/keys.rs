//! The keys of private inputs, on a majority of the members' disks, and nowhere once a task has
//! ended.
//!
//! A key goes from the member that seals to the others' vaults, never through Raft's log. Each
//! sealing has a key of its own, stored under the task and the digest of what was sealed, and the
//! ledger names that digest: whoever reads a key reads the right one, however often a submission
//! was tried and wherever.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aureole_ledger::{Digest, State, TaskId, TaskKind};
use aureole_store::{InputKey, InputVault, KeyInfo, Sealed, Secret, VaultError, seal_input};
use thiserror::Error;

use super::client::{Peer, peers_of};
use super::limits::PUT_PATIENCE;
use super::peers::{Membership, Peers};
use super::spread::{Lanes, spread};
use crate::verify::{InputKeys, KeyError};

/// What the ledger says of a sealed input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It knows no such task: its submission may be on its way, or it is long forgotten.
    Unknown,
    /// The task may still need it.
    Live,
    /// The task has ended, or has another input.
    Ended,
}

/// Why a key was not stored or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// This member's vault failed.
    #[error("the vault of input keys failed")]
    Vault(#[from] VaultError),
    /// Too few members have the key on disk.
    #[error(
        "the key is on disk at {stored} of {members} members, {needed} are needed before anything \
         may rely on it"
    )]
    NoMajority {
        /// Members that have it.
        stored: u32,
        /// Members that must have it.
        needed: u32,
        /// Voting members.
        members: u32,
    },
    /// Nobody who answered has the key, and somebody did not answer.
    #[error("the key of {task} is not here, and not every member could be asked: {detail}")]
    Unreachable {
        /// The task.
        task: TaskId,
        /// What was seen.
        detail: String,
    },
    /// The async runtime is shutting down.
    #[error("the process is stopping")]
    Stopped,
}

type Fates = Box<dyn Fn(TaskId, &Digest) -> Fate + Send + Sync>;

/// The keys of private inputs. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct KeyRing {
    inner: Arc<Inner>,
}

struct Inner {
    vault: InputVault,
    peers: Arc<dyn Peers>,
    fates: OnceLock<Fates>,
    lanes: Lanes,
    patience: Duration,
}

// === impl Fate ===

impl Fate {
    /// Reads the fate of a task's sealed input.
    pub fn of(state: &State, task: TaskId, input: &Digest) -> Self {
        match state.task(&task) {
            None => Self::Unknown,
            Some(record) => match &record.kind {
                TaskKind::Prove { input: named, .. } if named == input && !record.is_finished() => {
                    Self::Live
                }
                _ => Self::Ended,
            },
        }
    }
}

// === impl KeysError ===

impl KeysError {
    /// The stable code that a caller of the platform sees.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoMajority { .. } => "node.no_majority",
            _ => "node.storage",
        }
    }
}

// === impl KeyRing ===

impl KeyRing {
    /// Takes this member's vault and the way to the others.
    pub fn new(vault: InputVault, peers: Arc<dyn Peers>) -> Self {
        Self::with_patience(vault, peers, PUT_PATIENCE)
    }

    /// The same, and says how long a key may take to be on a majority's disks. Default 5 s.
    pub fn with_patience(vault: InputVault, peers: Arc<dyn Peers>, patience: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                vault,
                peers,
                fates: OnceLock::new(),
                lanes: Lanes::default(),
                patience,
            }),
        }
    }

    /// Says from now on what the ledger knows of a sealed input. Only the first call counts; until
    /// then nothing is known.
    pub fn attach(&self, fates: impl Fn(TaskId, &Digest) -> Fate + Send + Sync + 'static) {
        let _ = self.inner.fates.set(Box::new(fates));
    }

    /// Seals a task's input. When this returns its key is on a majority's disks; the bytes are not
    /// stored, and their digest must not be proposed before they are.
    ///
    /// # Errors
    /// [`KeysError::NoMajority`], [`KeysError::Vault`]: nothing may rely on the input.
    pub async fn seal(&self, task: TaskId, input: Secret) -> Result<Sealed, KeysError> {
        let sealed = blocking(move || seal_input(task, input.expose())).await?;
        let (digest, key) = (sealed.digest, sealed.key.clone());
        let (here, there) = tokio::join!(
            self.keep(task, digest, key.clone()),
            self.replicate(task, digest, key)
        );
        here.and(there).map(|()| sealed)
    }

    async fn replicate(&self, task: TaskId, input: Digest, key: InputKey) -> Result<(), KeysError> {
        let (group, peers) = self.peers();
        let put = move |peer: Peer| {
            let key = key.clone();
            async move { peer.put_key(task, &input, &key).await }
        };
        spread(&group, peers, &self.inner.lanes, self.inner.patience, put)
            .await
            .map_err(|too_few| KeysError::NoMajority {
                stored: too_few.stored,
                needed: too_few.needed,
                members: too_few.members,
            })
    }

    /// Stores a key on this member's disk, unless its task has ended.
    pub(super) async fn keep(
        &self,
        task: TaskId,
        input: Digest,
        key: InputKey,
    ) -> Result<(), KeysError> {
        if self.fate(task, &input) == Fate::Ended {
            return Ok(());
        }
        let vault = self.inner.vault.clone();
        blocking(move || vault.put(task, &input, &key)).await?;
        // It may have ended while the key was being written, and whoever destroys keys found none.
        if self.fate(task, &input) == Fate::Ended {
            self.forget(task, input).await?;
        }
        Ok(())
    }

    /// This member's own copy of a key.
    pub(super) async fn own(
        &self,
        task: TaskId,
        input: Digest,
    ) -> Result<Option<InputKey>, KeysError> {
        let vault = self.inner.vault.clone();
        blocking(move || vault.key(task, &input)).await
    }

    /// Destroys this member's copy of a key; returns whether there was one.
    ///
    /// # Errors
    /// [`KeysError::Vault`].
    pub async fn forget(&self, task: TaskId, input: Digest) -> Result<bool, KeysError> {
        let vault = self.inner.vault.clone();
        blocking(move || vault.destroy(task, &input)).await
    }

    /// Destroys every key of this member whose task has ended, and every one that is older than a
    /// grace and whose task the ledger does not know; a submission must not take longer than that.
    /// Returns those destroyed: their sealed bytes are of no use either.
    ///
    /// # Errors
    /// [`KeysError::Vault`]: the rest is tried again at the next sweep.
    pub async fn sweep(&self, grace: Duration) -> Result<Vec<(TaskId, Digest)>, KeysError> {
        let mut destroyed = Vec::new();
        for key in self.all().await? {
            let KeyInfo {
                task,
                input,
                stored_at,
            } = key;
            let gone = match self.fate(task, &input) {
                Fate::Live => false,
                Fate::Ended => true,
                // A time in the future, which a clock that was set back leaves behind, is young.
                Fate::Unknown => stored_at.elapsed().is_ok_and(|age| age >= grace),
            };
            if gone && self.forget(task, input).await? {
                destroyed.push((task, input));
            }
        }
        Ok(destroyed)
    }

    /// Every key that this member has.
    pub(super) async fn all(&self) -> Result<Vec<KeyInfo>, KeysError> {
        let vault = self.inner.vault.clone();
        blocking(move || vault.keys()).await
    }

    /// A key from this member's disk or from another's, which is then kept here too. `None` when
    /// every member says that it has none.
    ///
    /// # Errors
    /// [`KeysError::Unreachable`], [`KeysError::Vault`]: another attempt may succeed.
    pub async fn find(&self, task: TaskId, input: Digest) -> Result<Option<InputKey>, KeysError> {
        match self.own(task, input).await {
            Ok(Some(key)) => return Ok(Some(key)),
            Ok(None) => {}
            Err(KeysError::Vault(VaultError::BadKey { bytes, .. })) => {
                tracing::warn!(%task, bytes, "a key is damaged; looking for a peer's");
                self.forget(task, input).await?;
            }
            Err(error) => return Err(error),
        }
        let (_, peers) = self.peers();
        let mut silent = Vec::new();
        for peer in peers {
            match peer.key(task, &input).await {
                Ok(Some(key)) => {
                    self.keep(task, input, key.clone()).await?;
                    return Ok(Some(key));
                }
                Ok(None) => {}
                Err(error) => silent.push(error.to_string()),
            }
        }
        if silent.is_empty() {
            return Ok(None);
        }
        let detail = silent.join("; ");
        Err(KeysError::Unreachable { task, detail })
    }

    fn fate(&self, task: TaskId, input: &Digest) -> Fate {
        let fates = self.inner.fates.get();
        fates.map_or(Fate::Unknown, |fates| fates(task, input))
    }

    fn peers(&self) -> (Membership, Vec<Peer>) {
        let group = self.inner.peers.group();
        let peers = peers_of(&*self.inner.peers, &group);
        (group, peers)
    }
}

#[async_trait]
impl InputKeys for KeyRing {
    async fn key(&self, task: TaskId, input: Digest) -> Result<Option<[u8; 32]>, KeyError> {
        let key = self.find(task, input).await?;
        Ok(key.map(|key| *key.expose()))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("vault", &self.inner.vault)
            .finish_non_exhaustive()
    }
}

/// Runs the vault's file work on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, KeysError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| KeysError::Stopped)??)
}
