//! The first key of a node, what does not start without one, and an administrator at the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, ensure};
use aureole_tests::cli::aureole;
use aureole_tests::{KEY, Node, Options, http};

/// The status of a look at who asks.
fn status(node: &Node, key: &str) -> anyhow::Result<u16> {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer)];
    Ok(http::send(node.url(), "GET", "/api/v1/me", &headers, b"")?.status)
}

#[test]
fn a_node_makes_its_first_key_at_its_first_start_and_keeps_it() -> anyhow::Result<()> {
    let mut node = Node::start_with(Options {
        first_key: true,
        ..Options::default()
    })?;
    let file = node.data_dir().join("admin.key");
    ensure!(fs::metadata(&file)?.permissions().mode() & 0o777 == 0o600);
    let key = fs::read_to_string(&file)?;
    ensure!((status(&node, &key)?, status(&node, KEY)?) == (200, 401));
    node.kill()?;
    node.restart()?;
    ensure!(status(&node, &key)? == 200);
    let folder = tempfile::tempdir()?;
    let file = file.to_string_lossy();
    let named = ["--url", node.url(), "--key-file", &file, "plugin", "list"];
    aureole(None, folder.path(), named)?.text()?;
    Ok(())
}

#[test]
fn a_gateway_without_a_first_key_does_not_start() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"];
    let ran = aureole(None, folder.path(), serve)?;
    ensure!(ran.code == Some(1), "{ran:?}");
    ensure!(
        ran.stderr.contains("access.bootstrap_key is missing"),
        "{}",
        ran.stderr
    );
    ensure!(
        ran.stderr.contains("aureole admin bootstrap-key"),
        "{}",
        ran.stderr
    );
    Ok(())
}

#[test]
fn an_administrator_runs_tenants_and_keys_from_the_command_line() -> anyhow::Result<()> {
    let node = Node::start()?;
    let folder = tempfile::tempdir()?;
    let run = |arguments: &[&str]| aureole(Some(node.url()), folder.path(), arguments);
    let text = |arguments: &[&str]| run(arguments)?.text();
    let json = |arguments: &[&str]| run(&[&["--output", "json"], arguments].concat())?.json();
    let set = text(&["admin", "tenant", "set", "acme", "--weight", "200"])?;
    ensure!(set.contains("acme") && set.contains("weight 200"), "{set}");
    let quota = json(&[
        "admin",
        "quota",
        "acme",
        "--live-tasks",
        "5",
        "--core-seconds",
        "60",
    ])?;
    ensure!(
        quota["quotas"]["live_tasks"] == 5 && quota["weight"] == 200,
        "{quota}"
    );
    ensure!(quota["quotas"].get("stored_bytes").is_none(), "{quota}");
    let key = [
        "admin",
        "key",
        "new",
        "--tenant",
        "acme",
        "--role",
        "submitter",
    ];
    let key = text(&[&key[..], &["--label", "ci", "--expires", "1h"]].concat())?;
    let key = key.trim();
    ensure!(status(&node, key)? == 200);
    let id = key.get(..20).context("a short key")?;
    let listed = text(&["admin", "key", "list", "--tenant", "acme"])?;
    ensure!(
        listed.contains(id) && listed.contains("ci") && !listed.contains(key),
        "{listed}"
    );
    text(&["admin", "key", "revoke", id])?;
    ensure!(status(&node, key)? == 401);
    text(&["admin", "tenant", "suspend", "acme"])?;
    let shown = json(&["admin", "tenant", "show", "acme"])?;
    ensure!(shown["suspended"] == true, "{shown}");
    text(&["admin", "tenant", "resume", "acme"])?;
    let list = text(&["admin", "tenant", "list"])?;
    ensure!(list.contains("default") && list.contains("acme"), "{list}");
    let usage = text(&["admin", "usage", "acme"])?;
    ensure!(
        usage.contains("live tasks") && usage.contains("0 of 5"),
        "{usage}"
    );
    let trail = text(&["admin", "audit"])?;
    for act in ["tenant_put", "key_created", "key_revoked"] {
        ensure!(trail.contains(act), "{trail}");
    }
    let page = json(&["admin", "audit", "--limit", "1"])?;
    let next = page["next"].as_u64().context("no next page")?;
    let older = json(&["admin", "audit", "--before", &next.to_string()])?;
    ensure!(
        older["acts"][0]["number"].as_u64() == Some(next - 1),
        "{older}"
    );
    let unknown = run(&["admin", "usage", "nobody"])?;
    ensure!(
        unknown.code == Some(1) && unknown.stderr.contains("no tenant nobody"),
        "{unknown:?}"
    );
    // Made without a node: the hash is what a gateway is told.
    let first = json(&["admin", "bootstrap-key"])?;
    let (key, hash) = (first["key"].as_str(), first["hash"].as_str());
    let (key, hash) = key.zip(hash).context("no key")?;
    ensure!(
        key.get(..20) == hash.get(..20) && !hash.contains(&key[21..]),
        "{first}"
    );
    Ok(())
}
