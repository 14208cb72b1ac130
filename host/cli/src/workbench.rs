//! A node's sandbox, prover and verifier on this machine, with no node.

use std::path::PathBuf;

use anyhow::Context as _;
use aureole_store::Depot;
use aureole_worker::{ChildCommand, Provers, ProversConfig, Sandboxes, SandboxesConfig};

/// What a node has, in a temporary folder.
#[derive(Debug)]
pub(crate) struct Workbench {
    pub(crate) depot: Depot,
    pub(crate) sandboxes: Sandboxes,
    pub(crate) provers: Provers,
    /// Proves nothing: no proof is judged by its maker.
    pub(crate) verifier: Provers,
    _folder: tempfile::TempDir,
}

// === impl Workbench ===

impl Workbench {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("could not make a temporary folder")?;
        let depot = Depot::open(&folder.path().join("depot"))?;
        let command = ChildCommand::current().context("could not find this program")?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = u32::try_from(cores).unwrap_or(1);
        let provers = || {
            let config = ProversConfig::new(command.clone(), params_dir()?, threads);
            anyhow::Ok(Provers::new(config, depot.clone().into()))
        };
        let config = SandboxesConfig::new(command.clone(), folder.path().join("code"));
        Ok(Self {
            sandboxes: Sandboxes::new(config, depot.clone().into())?,
            provers: provers()?,
            verifier: provers()?,
            depot: depot.clone(),
            _folder: folder,
        })
    }
}

/// Where parameters are kept between calls: the user's cache.
///
/// # Errors
/// When the environment names neither a cache nor a home.
pub(crate) fn params_dir() -> anyhow::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("AUREOLE_PARAMS_DIR") {
        return Ok(dir.into());
    }
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        (None, None) => {
            anyhow::bail!("set AUREOLE_PARAMS_DIR: there is no HOME to keep parameters in")
        }
    };
    Ok(cache.join("aureole").join("params"))
}
