//! The command line of clusters.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};

use super::Settings;

/// Run one process of a cluster.
///
/// `aureole cluster init` writes a configuration for each. SIGTERM and Ctrl-C drain: running proofs
/// are finished or handed back.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// What it does; several may be given, also separated by commas
    #[arg(long, value_enum, value_delimiter = ',', env = "AUREOLE_ROLE")]
    pub(crate) role: Vec<Role>,
    /// Join a cluster by a token: internal address of a coordinator with `tls.enrol = true`
    #[arg(long, value_name = "HOST:PORT", requires = "token_file")]
    pub(crate) join: Option<String>,
    /// File with the token, from `aureole cluster token new`
    #[arg(long, value_name = "FILE", requires = "join")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// A role of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Keeps the facts and the bytes.
    Coordinator,
    /// Serves the REST API.
    Gateway,
    /// Proves.
    Worker,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Make the authority of a new cluster, and for each process a certificate and a configuration
    Init {
        /// Folder for all of it; keep its ca.key away from the machines of the cluster
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Internal addresses of the coordinators
        #[arg(
            long,
            value_name = "HOST:PORT,...",
            value_delimiter = ',',
            required = true
        )]
        coordinators: Vec<String>,
        /// Where each coordinator serves the REST API; without it they serve none
        #[arg(long, value_name = "ADDRESS,...", value_delimiter = ',')]
        http: Vec<SocketAddr>,
        /// Workers to make certificates for
        #[arg(long, value_name = "N", default_value_t = 0)]
        workers: u32,
        /// Have the coordinators sign certificates for join tokens. Each gets a copy of the authority's
        /// key: whoever breaks into one can then be anybody in the cluster
        #[arg(long)]
        enrol: bool,
        /// What the log of accepted proofs is called, such as a host name and a path; for good
        /// [default: a random name]
        #[arg(long, value_name = "NAME")]
        origin: Option<String>,
    },
    /// Make a certificate for one more process
    Certificate {
        /// Folder of `cluster init`
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// What the process is: coordinator, worker, gateway or admin
        #[arg(long)]
        role: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// Folder for the certificate and the key: the process's tls.dir
        #[arg(short = 'o', long = "out", value_name = "DIR")]
        out: PathBuf,
    },
    /// Make tokens with which workers and gateways join
    #[command(subcommand)]
    Token(JoinToken),
    /// Remove the blobs that nothing refers to any more, on every coordinator
    Gc {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        way: Way,
    },
    /// Show who belongs to the cluster, who leads, who lags behind
    Status {
        /// What the asked coordinator knows itself, whether it leads or not
        #[arg(long)]
        local: bool,
        #[command(flatten)]
        way: Way,
    },
    /// Add a coordinator that runs and is empty, or tell where one is now
    Add {
        /// Its id
        id: u64,
        /// Its internal address
        address: String,
        #[command(flatten)]
        way: Way,
    },
    /// Remove a coordinator, alive or not
    Remove {
        /// Its id
        id: u64,
        #[command(flatten)]
        way: Way,
    },
    /// Hand leadership to a coordinator
    TransferLeader {
        /// Its id
        id: u64,
        #[command(flatten)]
        way: Way,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JoinToken {
    /// Make a token; whoever has it gets a certificate of that role until it expires
    New {
        /// Folder of `cluster init`
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// What joins with it: worker or gateway
        #[arg(long)]
        role: String,
        /// How long it counts, such as 30m, 24h or 7d; a month at the most
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
        ttl: Duration,
    },
}

/// Reads a number with a unit of time.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let unit = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let seconds = text.chars().last().and_then(|last| {
        let number: u64 = text.strip_suffix(last)?.parse().ok()?;
        number.checked_mul(unit(last)?)
    });
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "give a number and s, m, h or d, such as 24h".to_owned())
}

/// The way to a coordinator. What stands on the command line counts, the environment where nothing
/// does.
#[derive(Debug)]
pub(crate) enum Way {
    /// On a coordinator's own machine, by its configuration file.
    Beside(PathBuf),
    /// To an address, as the admin or in plain on the loopback interface.
    To {
        coordinator: String,
        admin: Option<PathBuf>,
    },
}

/// How the way is given.
#[derive(Debug, Args)]
struct WayFlags {
    /// Internal address of any coordinator
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "AUREOLE_COORDINATOR",
        required_unless_present = "config"
    )]
    coordinator: Option<String>,
    /// Folder of the admin's certificate, which `cluster init` made; without it, plain connections on
    /// the loopback interface
    #[arg(long, value_name = "DIR", env = "AUREOLE_ADMIN")]
    admin: Option<PathBuf>,
    /// On a coordinator's own machine: its configuration file, instead of both
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

// === impl Way ===

impl FromArgMatches for Way {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = WayFlags::from_arg_matches(matches)?;
        let Some(config) = flags.config else {
            return Ok(Self::To {
                coordinator: flags.coordinator.unwrap_or_default(),
                admin: flags.admin,
            });
        };
        let typed = |flag: &&str| matches.value_source(flag) == Some(ValueSource::CommandLine);
        match ["coordinator", "admin"].iter().find(|flag| typed(flag)) {
            None => Ok(Self::Beside(config)),
            Some(flag) => Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                format!("--config says everything that --{flag} would: give one of them\n"),
            )),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Way {
    fn augment_args(command: clap::Command) -> clap::Command {
        WayFlags::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        WayFlags::augment_args_for_update(command)
    }
}
