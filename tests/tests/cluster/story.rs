//! What every story shares: rounds, clients and the end.

use std::time::Duration;

use aureole_tests::Random;
use aureole_tests::cluster::{Cluster, Habits, Layout, Recorded, Traffic};

/// Tells a story once, or as often as `AUREOLE_TEST_ROUNDS` says; each round has its own choices.
pub(crate) async fn rounds(
    story: impl AsyncFn(&mut Random) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let rounds = match std::env::var("AUREOLE_TEST_ROUNDS") {
        Ok(text) => text.parse()?,
        Err(_) => 1,
    };
    let mut random = Random::seeded()?;
    for round in 1..=rounds {
        story(&mut random)
            .await
            .map_err(|error| error.context(format!("round {round}")))?;
    }
    Ok(())
}

/// A cluster with the plugin that the clients use.
pub(crate) async fn cluster(layout: Layout) -> anyhow::Result<Cluster> {
    Cluster::with_plugins(layout, &["preimage"]).await
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
    if verdict.holds().is_err() {
        eprintln!("{}", cluster.shown_logs());
    }
    verdict.holds()
}
