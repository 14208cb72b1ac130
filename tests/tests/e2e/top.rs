//! `aureole top` on a real node: one frame as text, one as a document, for administrators alone.

use anyhow::ensure;
use aureole_client::rest::Role;
use aureole_tests::{Node, cli, eventually, key_of, preimage_input};

#[tokio::test]
async fn a_frame_shows_what_the_node_did_and_who_did_it() -> anyhow::Result<()> {
    let node = Node::with_plugins(&["preimage"]).await?;
    let folder = tempfile::tempdir()?;
    let run = |line: &str| cli::aureole(Some(node.url()), folder.path(), line.split(' '));
    for seed in 1..=2 {
        let task = node
            .client()?
            .submit_to("preimage", &preimage_input(seed))
            .await?;
        node.done(&task.id).await?;
    }
    let text = run("top --once")?.text()?;
    for wanted in [
        "ready",
        "Queue: 0 queued",
        "default",
        "1 worker",
        "joined",
        "leader",
        "prove",
    ] {
        ensure!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    ensure!(!text.contains('\u{1b}'), "escapes: {text:?}");
    ensure!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    // What a worker keeps warm comes with its next heartbeat.
    let frame = eventually("a warm circuit in the frame", async || {
        let frame = run("top --json")?.json()?;
        let warm = frame["workers"][0]["warm"].as_u64() >= Some(1);
        Ok(warm.then_some(frame))
    })
    .await?;
    // Inspection and preparation are tasks, too.
    ensure!(frame["recent"]["done"].as_u64() >= Some(2), "{frame}");
    ensure!(frame["recent"]["stages"][0]["stage"] == "total", "{frame}");
    let worker = &frame["workers"][0];
    ensure!(worker["joined"] == true && worker["leases"] == 0, "{frame}");
    let cluster = &frame["cluster"];
    ensure!(cluster["members"][0]["leader"] == true, "{frame}");
    ensure!(cluster["leader"] == cluster["members"][0]["id"], "{frame}");
    ensure!(frame["tenants"][0]["proofs"] == 2, "{frame}");
    // No terminal here: it says what to do.
    let refused = run("top")?;
    ensure!(
        refused.code == Some(1) && refused.stderr.contains("--once"),
        "{refused:?}"
    );
    let key = key_of(node.url(), "acme", Role::Auditor).await?.secret;
    std::fs::write(folder.path().join("key"), key)?;
    let refused = run("--key-file key top --once")?;
    ensure!(refused.stderr.contains("access.forbidden"), "{refused:?}");
    Ok(())
}
