//! What every story shares: rounds, clients and the end.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use aureole_tests::Random;
use aureole_tests::cluster::{Cluster, Habits, Layout, Recorded, Traffic};

/// Tells a story once, or as often as `AUREOLE_TEST_ROUNDS` says; each round has a cluster and choices
/// of its own. The logs' ends are shown of one that fails.
pub(crate) async fn rounds(
    layout: Layout,
    story: impl AsyncFn(&mut Cluster, &mut Random) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let rounds = number_of_rounds()?;
    let mut random = Random::seeded()?;
    for round in 1..=rounds {
        let mut cluster = Cluster::with_plugins(layout.clone(), &["preimage"]).await?;
        let begun = Instant::now();
        let told = story(&mut cluster, &mut random).await;
        told.with_context(|| format!("{}\nround {round}", cluster.shown_logs()))?;
        eprintln!("round {round} of {rounds} took {:?}", begun.elapsed());
    }
    Ok(())
}

/// How often each story is told.
pub(crate) fn number_of_rounds() -> anyhow::Result<usize> {
    match std::env::var("AUREOLE_TEST_ROUNDS") {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(1),
    }
}

/// Clients on all gateways.
pub(crate) fn clients(cluster: &Cluster, habits: Habits, random: &mut Random) -> Traffic {
    Traffic::start(cluster.urls(), habits, random)
}

/// Clients that leave the machine room to prove.
pub(crate) fn calm(submissions: u64) -> Habits {
    Habits {
        submissions,
        pause: Duration::from_millis(50),
        ..Habits::default()
    }
}

/// The same end for all stories.
pub(crate) async fn ends_well(cluster: &mut Cluster, recorded: &Recorded) -> anyhow::Result<()> {
    let verdict = cluster.audit(recorded).await?;
    eprintln!(
        "{verdict}; longest time without an acknowledgement {:?}",
        recorded.longest_gap()
    );
    verdict.holds()
}
