//! The command line of administrators.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::cluster::duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make, change, show and suspend tenants
    #[command(subcommand)]
    Tenant(Tenant),
    /// Make, list and revoke keys
    #[command(subcommand)]
    Key(Key),
    /// Set what a tenant may have; a limit that is not given is none
    Quota {
        /// The tenant
        tenant: String,
        #[command(flatten)]
        quotas: Quotas,
    },
    /// Show what a tenant has used and has, beside what it may
    Usage {
        /// The tenant
        tenant: String,
    },
    /// Show administrative acts, newest first
    Audit {
        /// Only those before this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Verify every proof of a circuit again, after a fault of a verifier was mended: names those that do
    /// not verify, and exits with 1 if there are any
    Reverify {
        /// The circuit
        circuit: String,
    },
    /// Make the first administrator's key, with no node: prints the key, and the hash for a gateway's
    /// `access.bootstrap_key`
    BootstrapKey,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// List tenants
    List,
    /// Show a tenant
    Show {
        /// The tenant
        tenant: String,
    },
    /// Make a tenant, with ordinary quotas, or change one
    Set {
        /// The tenant: 1 to 63 of a-z 0-9 -
        tenant: String,
        /// Its part of the cluster beside the others who have work; 100 is ordinary
        #[arg(long, value_name = "N")]
        weight: Option<u32>,
    },
    /// Let a tenant do nothing: its keys open nothing, what is queued is still done
    Suspend {
        /// The tenant
        tenant: String,
    },
    /// Let a suspended tenant go on
    Resume {
        /// The tenant
        tenant: String,
    },
}

/// Limits, in real units.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Quotas {
    /// Tasks that have not ended
    #[arg(long, value_name = "N")]
    pub(crate) live_tasks: Option<u64>,
    /// Bytes of their inputs
    #[arg(long, value_name = "BYTES")]
    pub(crate) queued_bytes: Option<u64>,
    /// Seconds of one core within an hour
    #[arg(long, value_name = "SECONDS")]
    pub(crate) core_seconds: Option<u64>,
    /// Bytes of components
    #[arg(long, value_name = "BYTES")]
    pub(crate) stored_bytes: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key; it is shown this once
    New {
        /// Whose it is
        #[arg(long, default_value = "default")]
        tenant: String,
        /// What it lets its holder do
        #[arg(long, value_enum)]
        role: KeyRole,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
        /// How long it opens anything, such as 24h or 90days; for ever when it is not given
        #[arg(long, value_name = "TIME", value_parser = duration)]
        expires: Option<Duration>,
    },
    /// List keys, without their secrets
    List {
        /// Of this tenant only
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Make a key open nothing more, at once
    Revoke {
        /// Its public part: aur_ and 16 hex digits
        key: String,
    },
}

/// What a key lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyRole {
    /// Everything, and tenants and keys beside it.
    Admin,
    /// Publishes plugins, and uses them.
    Author,
    /// Uses plugins.
    Submitter,
    /// Reads what its tenant has and did.
    Auditor,
}
