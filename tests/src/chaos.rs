//! Chaos: a real cluster under clients and a random mixture of faults, one after the other.
//!
//! What is planned follows from a seed and is told before it begins. After each fault it is asked
//! whether it really happened: a run in which a planned fault did not is no pass, whatever else it
//! shows. At the end everything heals, all that was acknowledged finishes, and the audit that every
//! story of a cluster ends with decides.

mod fault;
mod plan;

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cluster::{Cluster, Habits, Layout, Traffic, Verdict};
use crate::net::Net;
use crate::random::Random;

pub use fault::{Fault, Kind};
pub use plan::plan;

/// The least that clients get done between two faults.
const BETWEEN: u64 = 3;

/// What a run is.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long faults go on; healing comes on top.
    pub minutes: u64,
    /// Decides everything that is chosen.
    pub seed: u64,
}

/// A fault and what came of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was planned.
    pub fault: Fault,
    /// When it began, since the clients did.
    pub at: Duration,
    /// What shows that it happened; nothing when it did not.
    pub evidence: Option<String>,
    /// Submissions acknowledged while it lasted.
    pub acknowledged: u64,
}

/// What a run showed.
#[derive(Clone, Debug)]
pub struct Report {
    /// The faults in their order.
    pub steps: Vec<Step>,
    /// Kinds of faults that this machine cannot make, and why.
    pub left_out: Option<String>,
    /// The longest time without an acknowledgement.
    pub longest_gap: Duration,
    /// What the audit found after the healing.
    pub verdict: Verdict,
    /// How long healing and auditing took.
    pub healing: Duration,
}

// === impl Report ===

impl Report {
    /// Whether every planned fault happened and the audit found nothing.
    #[must_use]
    pub fn passes(&self) -> bool {
        !self.steps.is_empty() && self.missed() == 0 && self.verdict.wrong.is_empty()
    }

    /// Planned faults that did not happen.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| step.evidence.is_none())
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>6}  {:<34} {:>12}  happened",
            "at", "fault", "acknowledged"
        )?;
        for step in &self.steps {
            let evidence = step
                .evidence
                .as_deref()
                .unwrap_or("NO: this run is no pass");
            let (at, fault) = (step.at.as_secs(), step.fault.to_string());
            writeln!(
                f,
                "{at:>4} s  {fault:<34} {:>12}  {evidence}",
                step.acknowledged
            )?;
        }
        writeln!(f)?;
        for kind in Kind::ALL {
            let of_kind = || self.steps.iter().filter(|step| step.fault.kind == kind);
            let happened = of_kind().filter(|step| step.evidence.is_some()).count();
            let planned = of_kind().count();
            writeln!(
                f,
                "{:<34} planned {planned:>3}, happened {happened:>3}",
                kind.name()
            )?;
        }
        if let Some(why) = &self.left_out {
            writeln!(f, "left out: {why}")?;
        }
        let longest = self.longest_gap.as_secs_f64();
        writeln!(
            f,
            "\nlongest time without an acknowledgement: {longest:.1} s"
        )?;
        write!(
            f,
            "healed and audited in {:.0} s: {}",
            self.healing.as_secs_f64(),
            self.verdict
        )
    }
}

/// Runs chaos and says what it showed. Lines for people go to `tell`.
///
/// # Errors
/// When the cluster cannot be started, watched or healed.
pub async fn run(options: Options, tell: impl Fn(&str)) -> anyhow::Result<Report> {
    let mut random = Random::from_seed(options.seed);
    // Asked first: a machine that cannot cut links leaves those faults out, and says so.
    let left_out = Net::new(1).err().map(|error| format!("{error:#}"));
    let layout = Layout {
        network: left_out.is_none(),
        faults: true,
        lease_ms: 3_000,
        ..Layout::default()
    };
    let plan = plan(options.minutes, left_out.is_none(), &mut random);
    tell(&format!("{} faults are planned", plan.len()));
    let mut cluster = Cluster::with_plugins(layout, &["preimage"]).await?;
    let habits = Habits {
        pause: Duration::from_millis(150),
        ..Habits::default()
    };
    let traffic = Traffic::start(cluster.urls(), habits, &mut random);
    let began = Instant::now();
    let mut steps = Vec::new();
    for fault in plan {
        let step = suffer(&mut cluster, &traffic, fault, began, &mut random).await;
        let step = step.with_context(|| cluster.shown_logs())?;
        tell(&format!(
            "{:>4} s  {}: {}",
            step.at.as_secs(),
            step.fault,
            step.evidence.as_deref().unwrap_or("did not happen")
        ));
        steps.push(step);
    }
    let recorded = traffic.stop()?;
    tell("healing");
    let healing = Instant::now();
    let verdict = cluster.audit(&recorded).await?;
    if !verdict.wrong.is_empty() {
        tell(&cluster.shown_logs());
    }
    Ok(Report {
        steps,
        left_out,
        longest_gap: recorded.longest_gap(),
        verdict,
        healing: healing.elapsed(),
    })
}

/// One fault from its beginning to its end.
async fn suffer(
    cluster: &mut Cluster,
    traffic: &Traffic,
    fault: Fault,
    began: Instant,
    random: &mut Random,
) -> anyhow::Result<Step> {
    traffic.goes_on(BETWEEN).await?;
    let (at, before) = (began.elapsed(), traffic.acknowledged());
    let victim = fault.begin(cluster, random).await?;
    tokio::time::sleep(fault.lasts).await;
    let evidence = fault.evidence(cluster, &victim)?;
    let acknowledged = traffic.acknowledged() - before;
    cluster.heal().await?;
    Ok(Step {
        fault,
        at,
        evidence,
        acknowledged,
    })
}
