//! `aureole worker`: who is joined, who is in quarantine.

use aureole_client::rest::WorkerList;

use super::Context;
use crate::arguments::Worker;
use crate::print;

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Worker) -> anyhow::Result<()> {
    let client = context.client()?;
    let listed = match verb {
        Worker::List => client.workers().await?,
        Worker::Trust { name } => client.trust_worker(&name).await?,
    };
    print::result(context.output, &listed, show)
}

fn show(listed: &WorkerList) {
    for worker in &listed.workers {
        let standing = match (&worker.quarantined_at, worker.joined, worker.draining) {
            (Some(since), ..) => format!("in quarantine since {since}"),
            (None, true, true) => "draining".to_owned(),
            (None, true, false) => "joined".to_owned(),
            (None, false, _) => "away".to_owned(),
        };
        print::line(format_args!(
            "{}  {standing}  {} proofs did not verify",
            worker.name, worker.invalid_proofs
        ));
    }
}
