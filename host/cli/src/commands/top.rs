//! `aureole top`: the cluster at a glance, again and again or once.

use std::io::IsTerminal as _;

use aureole_top::{Sampler, plain};

use super::Context;
use crate::arguments::{Output, Top};
use crate::print;

/// The size of a frame that is printed: of a terminal as it comes.
const PRINTED: (u16, u16) = (80, 24);

/// Shows the cluster.
pub(crate) async fn run(context: &Context, options: &Top) -> anyhow::Result<()> {
    let mut sampler = Sampler::new(context.client()?);
    let output = match options.json {
        true => Output::Json,
        false => context.output,
    };
    if options.once || output == Output::Json {
        let frame = sampler.look().await?;
        return print::result(output, &frame, |frame| {
            let (width, height) = PRINTED;
            print::line(plain(frame.clone(), width, height));
        });
    }
    // See no-color.org: set to anything but nothing.
    let colors = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let color = colors && std::io::stdout().is_terminal();
    Ok(aureole_top::run(sampler, options.every, color).await?)
}
