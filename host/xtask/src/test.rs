//! `cargo xtask test`: makes ready what the tests start (servers, plugins, the node), then runs them
//! all.

use std::path::Path;

use crate::{browser, plugins, schemathesis, servers, shell};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Arguments handed to `cargo test`, such as a test's name or `-p PACKAGE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs all tests, or those that the arguments name.
pub(crate) fn run(workspace: &Path, options: &Options) -> anyhow::Result<()> {
    servers::make_ready();
    build_plugins(workspace)?;
    build_fixtures(workspace)?;
    shell::step("building the node that the tests start");
    shell::run(shell::cargo(workspace).args(["build", "--workspace", "--bins"]))?;
    let schemathesis = schemathesis::make_ready(workspace).unwrap_or_else(|error| {
        eprintln!("{error:#}; the OpenAPI document is not tried against a node");
        "none".into()
    });
    let browser = browser::make_ready(workspace);
    shell::step("running the tests");
    let mut test = shell::cargo(workspace);
    test.arg("test").env(schemathesis::VARIABLE, schemathesis);
    match browser {
        Ok(browser) => test
            .env(browser::BROWSER, browser.program)
            .env(browser::TOOLS, browser.tools),
        Err(error) => {
            eprintln!("{error:#}; the console is not tried in a browser");
            test.env(browser::BROWSER, browser::NONE)
        }
    };
    if !options
        .arguments
        .iter()
        .any(|argument| argument == "-p" || argument == "--package")
    {
        test.args(["--workspace", "--no-fail-fast"]);
    }
    shell::run(test.args(&options.arguments))
}

/// Builds the first-party plugins into `target/plugins` and says how large they are.
pub(crate) fn build_plugins(workspace: &Path) -> anyhow::Result<()> {
    build_room(workspace, "plugins", "target/plugins")?;
    let in_c = plugins::build_in_c(workspace, &workspace.join("target/plugins"))?;
    eprintln!("    {in_c}");
    Ok(())
}

/// Builds the plugins that only tests need into `target/plugins/fixtures`.
pub(crate) fn build_fixtures(workspace: &Path) -> anyhow::Result<()> {
    build_room(workspace, "tests/fixtures", "target/plugins/fixtures")
}

fn build_room(workspace: &Path, room: &str, out: &str) -> anyhow::Result<()> {
    shell::step(&format!("building the plugins of {room}/"));
    for plugin in plugins::build(workspace, room, &workspace.join(out))? {
        eprintln!("    {plugin}");
    }
    Ok(())
}
