//! `aureole health`: whether the node takes work.

use std::process::ExitCode;

use super::Context;
use crate::print;

/// Asks and prints; a node that takes no work is an answer with exit code 1.
pub(crate) async fn run(context: &Context) -> anyhow::Result<ExitCode> {
    let client = context.client()?;
    // One that does not even live is told apart from one that is not ready.
    client.live().await?;
    let health = client.ready().await?;
    print::result(context.output, &health, |health| {
        let ready = if health.ready { "ready" } else { "NOT ready" };
        print::line(format_args!("{ready}  version {}", health.version));
        for check in &health.checks {
            let held = if check.ok { "ok" } else { "NOT ok" };
            let detail = check.detail.as_deref().unwrap_or_default();
            print::line(format_args!("  {:<12} {held:<7} {detail}", check.name));
        }
    })?;
    Ok(match health.ready {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
