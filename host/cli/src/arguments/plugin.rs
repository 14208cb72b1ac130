//! `aureole plugin`: the verbs of authors and those that talk to a node.
//!
//! What a verb of the kit takes stands in its own file below `commands/plugin`, beside what it does.

use std::path::PathBuf;

use clap::{ArgGroup, Subcommand};

use crate::commands::plugin::{
    build, check, encode, fuzz, inspect, key, layout, new, prove, publish, test,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    New(new::New),
    Build(build::Build),
    Encode(encode::Encode),
    Check(check::Check),
    Test(test::Test),
    Prove(prove::Prove),
    Inspect(inspect::Inspect),
    Layout(layout::Layout),
    Fuzz(fuzz::Fuzz),
    Publish(publish::Publish),
    #[command(subcommand)]
    Key(key::Key),
    /// Upload a component and wait for its inspection
    Upload {
        /// WASM component
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List the plugins
    List,
    /// Show one plugin: its state, schemas and public inputs
    Show {
        /// NAME for the newest version, or NAME@VERSION
        plugin: String,
    },
    /// Say who may use a plugin beside your tenant
    #[command(group(ArgGroup::new("whom").required(true)))]
    Share {
        /// NAME, NAME@VERSION or digest
        plugin: String,
        /// These tenants
        #[arg(long, value_name = "TENANT,...", value_delimiter = ',', group = "whom")]
        with: Vec<String>,
        /// Everybody; for administrators
        #[arg(long, group = "whom")]
        public: bool,
        /// Nobody
        #[arg(long, group = "whom")]
        private: bool,
    },
    /// Retire a version: no new tasks, running ones finish
    Retire {
        /// NAME@VERSION
        plugin: String,
    },
}
