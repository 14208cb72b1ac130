//! Plugins, run in child processes.
//!
//! ```text
//! describe, circuit, annotate, witness ──▸ sandbox child (kept, loaded plugins warm)
//!                                               │ the code is not in the cache
//!                                               ▾
//!                      component from the depot ──▸ compile child (one-shot) ──▸ code cache
//! ```
//!
//! A component never has all sandboxes at once where there are two or more: calls of a plugin that
//! does not end wait for each other, and those of its neighbours do not wait for them.
//!
//! The cache's secret never leaves this process and the sandbox children; the compile child, which
//! works on bytes that anybody may have sent, returns code and cannot vouch for it.

mod share;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aureole_runtime::{CodeCache, Description, Limits};
use aureole_store::{Digest, Secret, SharedBlobs};
use aureole_telemetry::WorkerMeters;
use tokio::sync::Mutex;

use crate::child::Kind;
use crate::error::Error;
use crate::frame::Blobs;
use crate::limits::{
    COMPILE_CPU, COMPILE_MEMORY, COMPILE_NICE, COMPILE_TIMEOUT, COMPONENT_BYTES_MAX, SANDBOX_GRACE,
};
use crate::message::{Key, Reply, Request, Role, Start};
use crate::pool::{Lease, Pool};
use crate::problem::Problem;
use crate::process::{ChildCommand, Process};
use share::Shares;

/// How plugins are run.
#[derive(Clone, Debug)]
pub struct SandboxesConfig {
    /// How children are started.
    pub command: ChildCommand,
    /// Calls at the same time, each in a process of its own. One component has at most one fewer,
    /// so with one more than there are attempts at a time, no plugin waits for another.
    pub size: u32,
    /// What a plugin may use.
    pub limits: Limits,
    /// Folder of the compiled code.
    pub code_dir: PathBuf,
    /// Address space of a sandbox child.
    pub memory_bytes: u64,
    /// Where looks into the code cache are counted. Default silent.
    pub meters: WorkerMeters,
    /// Added to the children's niceness; compilations have the most there is.
    pub nice: i32,
}

/// Plugins by the digest of their component; clones share the processes.
#[derive(Clone, Debug)]
pub struct Sandboxes {
    pool: Pool,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SandboxesConfig,
    code: Code,
    depot: SharedBlobs,
    shares: Shares,
    /// One compilation at a time: it takes a core and up to 2 GiB, and two of the same component
    /// would be one too many.
    compiling: Mutex<()>,
}

/// The code cache, which has no `Debug` of its own.
struct Code(CodeCache);

/// A result, and the time the plugin took for it.
#[derive(Debug)]
pub struct Made<T> {
    /// The result.
    pub value: T,
    /// Wall time inside the plugin.
    pub took: Duration,
}

// === impl SandboxesConfig ===

impl SandboxesConfig {
    /// One sandbox with default limits.
    #[must_use]
    pub fn new(command: ChildCommand, code_dir: PathBuf) -> Self {
        Self {
            command,
            size: 1,
            limits: Limits::default(),
            code_dir,
            // 0.6 GiB are reserved for one linear memory with its guards, its real pages are
            // within; the result, its encoding and mapped code of 32 plugins come on top.
            memory_bytes: 3 << 30,
            meters: WorkerMeters::default(),
            nice: 10,
        }
    }
}

// === impl Sandboxes ===

impl Sandboxes {
    /// Opens the code cache. No process is started yet: see [`Sandboxes::fill`].
    ///
    /// # Errors
    /// [`Error::CodeCache`].
    pub fn new(config: SandboxesConfig, depot: SharedBlobs) -> Result<Self, Error> {
        let code = Code(CodeCache::open(&config.code_dir).map_err(Error::CodeCache)?);
        let start = Start {
            memory_bytes: config.memory_bytes,
            cpu_seconds: None,
            nice: config.nice,
            role: Role::Sandbox {
                limits: config.limits.clone(),
                code_dir: config.code_dir.clone(),
            },
        };
        let pool = Pool::new(config.command.clone(), Kind::Sandbox, start, config.size);
        let compiling = Mutex::default();
        let shares = Shares::new(config.size);
        Ok(Self {
            pool,
            inner: Arc::new(Inner {
                config,
                code,
                depot,
                shares,
                compiling,
            }),
        })
    }

    /// Starts all processes, so that the first calls need not wait for them.
    ///
    /// # Errors
    /// [`Error::Spawn`], [`Error::Crashed`] and the like.
    pub async fn fill(&self) -> Result<(), Error> {
        self.pool.fill().await
    }

    /// Scans and compiles a component from the depot, unless that was done before. Returns the
    /// time it took, zero if there was nothing to do.
    ///
    /// # Errors
    /// [`Error::Refused`] with a `plugin.*` code, and the errors of a child process.
    pub async fn compile(&self, component: &Digest) -> Result<Duration, Error> {
        // Looked for before the wait too: what is compiled must not wait for a compilation.
        if self.is_compiled(component).await? {
            return Ok(Duration::ZERO);
        }
        let _one_at_a_time = self.inner.compiling.lock().await;
        if self.is_compiled(component).await? {
            return Ok(Duration::ZERO);
        }
        let key = *component.as_bytes();
        let code = self.inner.code.0.clone();
        let bytes = self.inner.depot.get(component, COMPONENT_BYTES_MAX).await?;
        let config = &self.inner.config;
        let start = Start {
            memory_bytes: COMPILE_MEMORY,
            cpu_seconds: Some(COMPILE_CPU.as_secs()),
            nice: COMPILE_NICE,
            role: Role::Compile {
                limits: config.limits.clone(),
            },
        };
        let during = "the compilation";
        let mut process = Process::spawn(&config.command, Kind::Compile, start).await?;
        let answer = process
            .call(
                &Request::Compile,
                &[&bytes],
                during,
                COMPILE_TIMEOUT,
                &mut |_| {},
            )
            .await?;
        let (Reply::Compiled { micros }, blobs) = answer else {
            return Err(process.unexpected(during));
        };
        let Ok([compiled]) = <[Vec<u8>; 1]>::try_from(blobs) else {
            return Err(process.unexpected(during));
        };
        drop(process);
        blocking(move || code.put(&key, &compiled))
            .await?
            .map_err(Error::CodeCache)?;
        Ok(Duration::from_micros(micros))
    }

    /// What a plugin says of itself, checked.
    ///
    /// # Errors
    /// [`Error::Refused`], and the errors of a child process.
    pub async fn describe(&self, component: &Digest) -> Result<Made<Description>, Error> {
        let during = "describing the plugin";
        let key = Key(*component.as_bytes());
        let request = Request::Describe { component: key };
        let (mut lease, reply, _) = self.call(component, &request, &[], during).await?;
        match reply {
            Reply::Described {
                description,
                log,
                micros,
            } => {
                show(component, &log);
                Ok(Made {
                    value: *description,
                    took: Duration::from_micros(micros),
                })
            }
            _ => Err(lease.unexpected(during)),
        }
    }

    /// [`Sandboxes::circuit`], twice: what a plugin says of its circuit must not change from call
    /// to call, or two workers would make different keys.
    ///
    /// # Errors
    /// [`Error::Refused`] with `plugin.nondeterministic` too.
    pub async fn recorded(
        &self,
        component: &Digest,
        params: &[u8],
    ) -> Result<Made<Vec<u8>>, Error> {
        let first = self.circuit(component, params).await?;
        let second = self.circuit(component, params).await?;
        agreed(first, &second)
    }

    /// The canonical bytes of a plugin's circuit for parameters, not checked yet.
    ///
    /// # Errors
    /// [`Error::Refused`], and the errors of a child process.
    pub async fn circuit(&self, component: &Digest, params: &[u8]) -> Result<Made<Vec<u8>>, Error> {
        let request = Request::Circuit {
            component: Key(*component.as_bytes()),
        };
        self.make(component, &request, &[params], "recording the circuit")
            .await
    }

    /// The encoded names of a circuit's regions.
    ///
    /// # Errors
    /// [`Error::Refused`], and the errors of a child process.
    pub async fn annotate(
        &self,
        component: &Digest,
        params: &[u8],
    ) -> Result<Made<Vec<u8>>, Error> {
        let request = Request::Annotate {
            component: Key(*component.as_bytes()),
        };
        self.make(component, &request, &[params], "naming the regions")
            .await
    }

    /// The encoded witness for an input, not checked yet.
    ///
    /// # Errors
    /// [`Error::Refused`], and the errors of a child process.
    ///
    /// # Cancel safety
    /// Dropping the call kills the child that works on it.
    pub async fn witness(
        &self,
        component: &Digest,
        params: &[u8],
        input: &Secret,
    ) -> Result<Made<Secret>, Error> {
        let request = Request::Witness {
            component: Key(*component.as_bytes()),
        };
        let blobs = [params, input.expose()];
        let made = self
            .make(component, &request, &blobs, "computing the witness")
            .await?;
        Ok(Made {
            value: Secret::new(made.value),
            took: made.took,
        })
    }

    async fn is_compiled(&self, component: &Digest) -> Result<bool, Error> {
        let key = *component.as_bytes();
        let code = self.inner.code.0.clone();
        blocking(move || code.get(&key).is_some()).await
    }

    async fn make(
        &self,
        component: &Digest,
        request: &Request,
        blobs: &[&[u8]],
        during: &'static str,
    ) -> Result<Made<Vec<u8>>, Error> {
        let (mut lease, reply, blobs) = self.call(component, request, blobs, during).await?;
        match (reply, <[Vec<u8>; 1]>::try_from(blobs)) {
            (Reply::Made { log, micros }, Ok([value])) => {
                show(component, &log);
                Ok(Made {
                    value,
                    took: Duration::from_micros(micros),
                })
            }
            _ => Err(lease.unexpected(during)),
        }
    }

    /// Calls a child; compiles the component first if the child has no code for it.
    async fn call(
        &self,
        component: &Digest,
        request: &Request,
        blobs: &[&[u8]],
        during: &'static str,
    ) -> Result<(Lease, Reply, Blobs), Error> {
        let key = Key(*component.as_bytes());
        let limit = self.inner.config.limits.call_time + SANDBOX_GRACE;
        let _share = self.inner.shares.take(key).await?;
        let mut lease = self.pool.take(Some(key)).await?;
        let (mut reply, mut answer) = lease
            .call(request, blobs, during, limit, &mut |_| {})
            .await?;
        let found = !matches!(reply, Reply::NeedCode);
        self.inner.config.meters.looked("code", found);
        if !found {
            self.compile(component).await?;
            (reply, answer) = lease
                .call(request, blobs, during, limit, &mut |_| {})
                .await?;
        }
        lease.has(key);
        Ok((lease, reply, answer))
    }
}

/// One recording of two that are equal, with the time of both.
fn agreed(first: Made<Vec<u8>>, second: &Made<Vec<u8>>) -> Result<Made<Vec<u8>>, Error> {
    if first.value == second.value {
        let took = first.took + second.took;
        return Ok(Made { took, ..first });
    }
    let digest = |made: &Made<Vec<u8>>| Digest::of(&made.value);
    let detail = format!(
        "two calls with the same parameters gave two circuits: {} and {}",
        digest(&first),
        digest(second)
    );
    Err(Error::Refused(Problem::new(
        "plugin.nondeterministic",
        detail,
    )))
}

/// Passes a plugin's log on; never called for a call that had an input.
fn show(component: &Digest, log: &[String]) {
    for line in log {
        tracing::info!(%component, line, "plugin log");
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Stopped)
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeCache")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    //! No plugin can change its mind in a sandbox, so the comparison is tested on its own.

    use super::*;

    fn made(value: &[u8]) -> Made<Vec<u8>> {
        Made {
            value: value.to_vec(),
            took: Duration::from_millis(1),
        }
    }

    #[test]
    fn two_equal_recordings_are_one_circuit() {
        let agreed = agreed(made(b"same"), &made(b"same")).unwrap();
        assert_eq!(
            (agreed.value.as_slice(), agreed.took),
            (&b"same"[..], Duration::from_millis(2))
        );
    }

    #[test]
    fn two_different_recordings_reject_the_plugin_for_good() {
        let (problem, retryable) = agreed(made(b"one"), &made(b"other"))
            .unwrap_err()
            .to_problem();
        assert_eq!(problem.code, "plugin.nondeterministic");
        assert!(!retryable);
        for said in [&b"one"[..], b"other"] {
            assert!(problem.detail.contains(&Digest::of(said).to_string()));
        }
    }
}
