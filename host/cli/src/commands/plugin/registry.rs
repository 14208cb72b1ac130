//! A node's plugins: upload, list, show, share, retire.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use aureole_client::rest::{ComponentSignature, Sharing};

use crate::commands::Context;
use crate::{print, progress};

/// How long an upload waits for the inspection; the most a node lets a request wait.
const INSPECTION_WAIT: Duration = Duration::from_secs(60);

/// Uploads components, each with its inspection.
pub(super) async fn upload(context: &Context, files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        upload_file(context, file).await?;
    }
    Ok(())
}

/// Lists the plugins.
pub(super) async fn list(context: &Context) -> anyhow::Result<()> {
    let list = context.client()?.plugins().await?;
    print::result(context.output, &list, print::plugins)
}

/// Shows one plugin.
pub(super) async fn show(context: &Context, plugin: &str) -> anyhow::Result<()> {
    let shown = context.client()?.plugin(plugin, Duration::ZERO).await?;
    print::result(context.output, &shown, print::plugin)
}

/// Retires one version.
pub(super) async fn retire(context: &Context, plugin: &str) -> anyhow::Result<()> {
    let retired = context.client()?.retire_plugin(plugin).await?;
    print::result(context.output, &retired, |plugin| {
        print::line(format_args!("{} is retired", plugin.label()));
    })
}

async fn upload_file(context: &Context, file: &Path) -> anyhow::Result<()> {
    let component =
        std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let name = file
        .file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy()
        .into_owned();
    send(context, component, &name, None).await
}

/// Sends a component, signed or not, and waits for its inspection.
pub(super) async fn send(
    context: &Context,
    component: Vec<u8>,
    name: &str,
    signature: Option<ComponentSignature>,
) -> anyhow::Result<()> {
    let total = component.len() as u64;
    let bar = progress::bytes(context.output, total, &format!("uploading {name}"));
    let (moving, name) = (bar.clone(), name.to_owned());
    let shown = move |sent, _| {
        moving.set_position(sent);
        if sent == total {
            moving.set_message(format!("inspecting {name}"));
        }
    };
    let (plugin, new) = context
        .client()?
        .publish_plugin(component.into(), signature.as_ref(), INSPECTION_WAIT, shown)
        .await?;
    bar.finish_and_clear();
    print::result(context.output, &plugin, |plugin| {
        let known = if new { "" } else { " (it was here already)" };
        print::line(format_args!("{}{known}", plugin.label()));
        print::plugin(&aureole_client::rest::Plugin {
            params_schema: None,
            input_schema: None,
            ..plugin.clone()
        });
    })
}

/// Says who may use a plugin beside its uploader.
pub(super) async fn share(
    context: &Context,
    plugin: &str,
    sharing: &Sharing,
) -> anyhow::Result<()> {
    let plugin = context.client()?.share_plugin(plugin, sharing).await?;
    print::result(context.output, &plugin, |plugin| {
        let whom = match &plugin.sharing {
            Some(Sharing::Public) => "public".to_owned(),
            Some(Sharing::Shared { with }) => format!("shared with {}", with.join(", ")),
            Some(Sharing::Private) | None => "private".to_owned(),
        };
        print::line(format_args!("{} is {whom}", plugin.label()));
    })
}
