//! The faults: how each begins, and what shows that it really happened. Healing is the cluster's.

use std::fmt;
use std::time::Duration;

use anyhow::Context as _;

use crate::cluster::Cluster;
use crate::faults::Happened;
use crate::random::Random;

/// How much longer each sync takes on a slow disk.
const SLOW: Duration = Duration::from_millis(300);

/// How far a clock jumps, forth or back.
const JUMP_MS: i64 = 1_800_000;

/// How long a process gets to end well.
const END: Duration = Duration::from_secs(30);

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The leader is killed.
    KillLeader,
    /// A coordinator that does not lead is killed.
    KillFollower,
    /// A worker is killed.
    KillWorker,
    /// All workers are killed.
    KillWorkers,
    /// Any process ends on request.
    Restart,
    /// The leader stands still.
    PauseLeader,
    /// A worker stands still, for longer than its lease.
    PauseWorker,
    /// Syncs take long on one coordinator.
    SlowDisk,
    /// Writes fail on one coordinator.
    FullDisk,
    /// Syncs fail on one coordinator.
    FailingDisk,
    /// One coordinator's clock jumps.
    ClockJump,
    /// The leader is cut off from all.
    CutLeader,
    /// A follower is cut off from all.
    CutFollower,
    /// A worker is cut off from all.
    CutWorker,
    /// What one coordinator sends does not reach one other.
    CutOneWay,
}

/// A fault of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: Kind,
    /// How long until it is healed.
    pub lasts: Duration,
}

/// Whom a fault hit.
#[derive(Clone, Debug)]
pub(super) struct Victim {
    name: String,
    /// To whom the way is cut.
    other: Option<String>,
    /// Its process before the fault.
    process: Option<u32>,
    /// How often what the fault makes had happened to it before: nobody sets that back, and a fault
    /// of this kind may have been here earlier.
    before: u64,
}

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::KillLeader,
        Self::KillFollower,
        Self::KillWorker,
        Self::KillWorkers,
        Self::Restart,
        Self::PauseLeader,
        Self::PauseWorker,
        Self::SlowDisk,
        Self::FullDisk,
        Self::FailingDisk,
        Self::ClockJump,
        Self::CutLeader,
        Self::CutFollower,
        Self::CutWorker,
        Self::CutOneWay,
    ];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillLeader => "kill the leader",
            Self::KillFollower => "kill a follower",
            Self::KillWorker => "kill a worker",
            Self::KillWorkers => "kill all workers",
            Self::Restart => "restart a process",
            Self::PauseLeader => "pause the leader",
            Self::PauseWorker => "pause a worker",
            Self::SlowDisk => "slow a coordinator's disk",
            Self::FullDisk => "fill a coordinator's disk",
            Self::FailingDisk => "break a coordinator's syncs",
            Self::ClockJump => "jump a coordinator's clock",
            Self::CutLeader => "cut the leader off",
            Self::CutFollower => "cut a follower off",
            Self::CutWorker => "cut a worker off",
            Self::CutOneWay => "cut one way between coordinators",
        }
    }

    /// How often what it makes has happened, and what that is; nothing for a kind that is seen
    /// otherwise.
    const fn counted(self, happened: &Happened) -> Option<(u64, &'static str)> {
        match self {
            Self::SlowDisk => Some((happened.syncs_delayed, "slow syncs")),
            Self::FullDisk => Some((happened.writes_failed, "refused writes")),
            Self::FailingDisk => Some((happened.syncs_failed, "failed syncs")),
            Self::ClockJump => Some((happened.clocks_shifted, "wrong looks at the clock")),
            _ => None,
        }
    }

    /// Whether it needs hosts of their own.
    #[must_use]
    pub const fn is_network(self) -> bool {
        matches!(
            self,
            Self::CutLeader | Self::CutFollower | Self::CutWorker | Self::CutOneWay
        )
    }
}

// === impl Fault ===

impl Fault {
    /// Makes it happen and says to whom.
    pub(super) async fn begin(
        &self,
        cluster: &mut Cluster,
        random: &mut Random,
    ) -> anyhow::Result<Victim> {
        let name = self.choose(cluster, random).await?;
        let happened = cluster.server(&name)?.faults()?.happened()?;
        let mut victim = Victim {
            process: cluster.server(&name)?.id(),
            name: name.clone(),
            other: None,
            before: self.kind.counted(&happened).map_or(0, |(count, _)| count),
        };
        match self.kind {
            Kind::KillLeader | Kind::KillFollower | Kind::KillWorker => {
                cluster.server_mut(&name)?.kill()?;
            }
            Kind::KillWorkers => {
                for worker in cluster.workers() {
                    cluster.server_mut(&worker)?.kill()?;
                }
            }
            Kind::Restart => {
                cluster.server_mut(&name)?.stop(END)?;
            }
            Kind::PauseLeader | Kind::PauseWorker => cluster.server(&name)?.pause()?,
            Kind::SlowDisk => cluster.server(&name)?.faults()?.slow_disk(SLOW)?,
            Kind::FullDisk => cluster.server(&name)?.faults()?.full_disk()?,
            Kind::FailingDisk => cluster.server(&name)?.faults()?.failing_disk()?,
            Kind::ClockJump => {
                let by = if random.below(2) == 0 {
                    JUMP_MS
                } else {
                    -JUMP_MS
                };
                cluster.server(&name)?.faults()?.shift_clock(by)?;
            }
            Kind::CutLeader | Kind::CutFollower | Kind::CutWorker => {
                let host = cluster.host(&name)?;
                cluster.net()?.isolate(host)?;
                victim.other = cluster
                    .coordinators()
                    .into_iter()
                    .find(|other| *other != name);
            }
            Kind::CutOneWay => {
                let others = cluster.coordinators();
                let others: Vec<_> = others.into_iter().filter(|other| *other != name).collect();
                let other = random.one_of(&others).context("a coordinator is alone")?;
                let (from, to) = (cluster.host(&name)?, cluster.host(other)?);
                cluster.net()?.cut(from, to)?;
                victim.other = Some(other.clone());
            }
        }
        Ok(victim)
    }

    async fn choose(&self, cluster: &Cluster, random: &mut Random) -> anyhow::Result<String> {
        let names = match self.kind {
            Kind::KillLeader | Kind::PauseLeader | Kind::CutLeader => {
                return cluster.leader().await;
            }
            Kind::KillFollower | Kind::CutFollower => return cluster.follower().await,
            Kind::KillWorker | Kind::KillWorkers | Kind::PauseWorker | Kind::CutWorker => {
                cluster.workers()
            }
            Kind::Restart => cluster.names(),
            Kind::SlowDisk
            | Kind::FullDisk
            | Kind::FailingDisk
            | Kind::ClockJump
            | Kind::CutOneWay => cluster.coordinators(),
        };
        Ok(random.one_of(&names).context("there is nobody")?.clone())
    }

    /// What shows that it happened.
    pub(super) fn evidence(
        &self,
        cluster: &mut Cluster,
        victim: &Victim,
    ) -> anyhow::Result<Option<String>> {
        let name = &victim.name;
        let process = victim.process.unwrap_or_default();
        Ok(match self.kind {
            Kind::KillLeader | Kind::KillFollower | Kind::KillWorker | Kind::Restart => {
                let gone = !cluster.server(name)?.runs();
                gone.then(|| format!("process {process} of {name} is gone"))
            }
            Kind::KillWorkers => {
                let workers = cluster.workers();
                let mut gone = true;
                for worker in &workers {
                    gone &= !cluster.server(worker)?.runs();
                }
                gone.then(|| format!("{} are gone", workers.join(" and ")))
            }
            Kind::PauseLeader | Kind::PauseWorker => {
                let paused = cluster.server(name)?.is_paused()?;
                paused.then(|| format!("process {process} of {name} stands still"))
            }
            Kind::SlowDisk | Kind::FullDisk | Kind::FailingDisk | Kind::ClockJump => {
                let happened = cluster.server(name)?.faults()?.happened()?;
                let counted = self.kind.counted(&happened);
                let grown = counted.map(|(count, what)| (count - victim.before, what));
                let grown = grown.filter(|(count, _)| *count > 0);
                grown.map(|(count, what)| format!("{count} {what} of {name}"))
            }
            Kind::CutLeader | Kind::CutFollower | Kind::CutWorker | Kind::CutOneWay => {
                let other = victim.other.as_ref().context("nobody was cut off")?;
                let (from, to) = (cluster.host(name)?, cluster.host(other)?);
                let port = crate::cluster::INTERNAL_PORT;
                let reached = cluster.net()?.reaches(from, to, port)?;
                (!reached).then(|| format!("{other} is out of reach of {name}"))
            }
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} for {:.1} s",
            self.kind.name(),
            self.lasts.as_secs_f64()
        )
    }
}
