//! `aureole plugin`: what authors do with a plugin, one file a verb, and what a node does with it.

mod registry;

use super::Context;
use crate::arguments::Plugin;

/// Runs the verb.
pub(crate) async fn run(context: &Context, verb: Plugin) -> anyhow::Result<()> {
    match verb {
        Plugin::Upload { files } => registry::upload(context, &files).await,
        Plugin::List => registry::list(context).await,
        Plugin::Show { plugin } => registry::show(context, &plugin).await,
        Plugin::Retire { plugin } => registry::retire(context, &plugin).await,
    }
}
