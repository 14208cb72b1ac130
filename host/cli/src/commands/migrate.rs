//! `aureole migrate`: the schema of the archive.

use aureole_node::Config;
use aureole_node::migrations::Schema;
use serde_json::{Value, json};

use super::Context;
use crate::arguments::Migrate;
use crate::print;

/// Runs the steps that the archive lacks, or says which.
pub(crate) async fn run(context: &Context, options: &Migrate) -> anyhow::Result<()> {
    let mut config = match &options.config {
        Some(file) => Config::load(file)?,
        None => Config::default(),
    };
    if let Some(data_dir) = &options.data_dir {
        config.data_dir.clone_from(data_dir);
    }
    let before = Schema::look(&config).await?;
    let lacked: Vec<i64> = before
        .steps()
        .filter(|step| !step.applied)
        .map(|step| step.version)
        .collect();
    let after = match options.dry_run {
        true => before,
        false => before.migrate().await?,
    };
    let steps: Vec<Value> = after
        .steps()
        .map(|step| {
            let did = match (lacked.contains(&step.version), step.applied) {
                (false, _) => "applied",
                (true, true) => "applied now",
                (true, false) => "lacks",
            };
            json!({"version": step.version, "name": step.name, "state": did})
        })
        .collect();
    let told = json!({"archive": after.to_string(), "dry_run": options.dry_run, "steps": steps});
    print::result(context.output, &told, |told| {
        print::line(format_args!(
            "archive {}",
            told["archive"].as_str().unwrap_or_default()
        ));
        for step in told["steps"].as_array().into_iter().flatten() {
            let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
            print::line(format_args!(
                "{:>6}  {:<12} {}",
                step["version"],
                text("state"),
                text("name")
            ));
        }
    })
}
