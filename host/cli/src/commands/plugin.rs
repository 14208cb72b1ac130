//! `aureole plugin`: what authors do with a plugin, one file a verb, and what a node does with it.

pub(crate) mod build;
pub(crate) mod check;
mod checkout;
pub(crate) mod encode;
mod examples;
pub(crate) mod fuzz;
mod host;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod layout;
pub(crate) mod new;
pub(crate) mod prove;
pub(crate) mod publish;
mod registry;
pub(crate) mod source;
pub(crate) mod test;

use std::process::ExitCode;

use aureole_client::rest::Sharing;

use super::Context;
use crate::arguments::Plugin;

/// Runs the verb; the exit code is its answer.
pub(crate) async fn run(context: &Context, verb: Plugin) -> anyhow::Result<ExitCode> {
    match verb {
        Plugin::New(options) => new::run(context, options)?,
        Plugin::Build(options) => build::run(context, &options)?,
        Plugin::Encode(options) => encode::run(context, &options)?,
        Plugin::Check(options) => return check::run(context, &options).await,
        Plugin::Test(options) => return test::run(context, &options).await,
        Plugin::Prove(options) => prove::run(context, &options).await?,
        Plugin::Inspect(options) => inspect::run(context, &options).await?,
        Plugin::Layout(options) => layout::run(context, &options).await?,
        Plugin::Fuzz(options) => return fuzz::run(context, &options).await,
        Plugin::Publish(options) => publish::run(context, &options).await?,
        Plugin::Key(verb) => key::run(context, &verb)?,
        Plugin::Upload { files } => registry::upload(context, &files).await?,
        Plugin::List => registry::list(context).await?,
        Plugin::Show { plugin } => registry::show(context, &plugin).await?,
        Plugin::Share {
            plugin,
            with,
            public,
            private: _,
        } => {
            let sharing = match (public, with) {
                (true, _) => Sharing::Public,
                (false, with) if with.is_empty() => Sharing::Private,
                (false, with) => Sharing::Shared { with },
            };
            registry::share(context, &plugin, &sharing).await?;
        }
        Plugin::Retire { plugin } => registry::retire(context, &plugin).await?,
    }
    Ok(ExitCode::SUCCESS)
}
