//! What can go wrong between a crate and its component.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// What an encoder said.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program of the toolchain could not be started.
    #[error("`{program}` could not be started; plugins are built with cargo and rustc from rustup")]
    Start {
        /// Its name.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program of the toolchain said no. What it has to say of it, it has said already where
    /// `detail` is empty.
    #[error("`{command}` ended with {status}{}{detail}", if detail.is_empty() { "" } else { ": " })]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, if it was kept from the terminal.
        detail: String,
    },
    /// A program of the toolchain answered something else than it should.
    #[error("`{command}` answered what cannot be read: {detail}")]
    Answer {
        /// What was run.
        command: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// There is no home to find cargo's packages in.
    #[error("neither CARGO_HOME nor HOME is set, so cargo's packages cannot be found")]
    NoHome,
    /// The folder holds no plugin.
    #[error(
        "{folder} holds no plugin: a package whose [lib] has `crate-type = [\"rlib\", \"cdylib\"]`"
    )]
    NoPlugin {
        /// The folder.
        folder: PathBuf,
    },
    /// The toolchain lacks the target that plugins are compiled for.
    #[error(
        "plugins compile to {target}, which this toolchain lacks: `rustup target add {target}` \
         installs it"
    )]
    NoTarget {
        /// The target.
        target: &'static str,
        /// What came of trying.
        #[source]
        source: Box<Error>,
    },
    /// The module is no plugin.
    #[error(
        "no component can be made of {package}: its module does not implement the plugins' world; \
         does the crate call `aureole_sdk::export!`?"
    )]
    World {
        /// The package.
        package: String,
        /// What the encoder said.
        #[source]
        source: Cause,
    },
    /// The module of another language does not fit the contract.
    #[error(
        "no component can be made of {module}: it does not export and import what wit/circuit.wit \
         says"
    )]
    Module {
        /// Its name.
        module: String,
        /// What the encoder said.
        #[source]
        source: Cause,
    },
    /// A file could not be read or written.
    #[error("{path} could not be {done}")]
    File {
        /// The file.
        path: PathBuf,
        /// What should have been done with it.
        done: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}
