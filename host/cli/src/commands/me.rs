//! `aureole me`: who the caller is to the node.

use super::Context;
use crate::print;

/// Asks and prints.
pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    let me = context.client()?.me().await?;
    print::result(context.output, &me, print::me)
}
