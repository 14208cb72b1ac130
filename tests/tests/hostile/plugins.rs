//! Plugins that behave until they are given an input.

use aureole_handmade::{ATTACK_INPUT, Attack, Constant, attacks, multiply};
use aureole_tests::{Node, http};
use serde_json::{Value, json};

use crate::neighbour::{Neighbour, is_unharmed, node};

fn attacked(node: &Node, attack: &Attack) -> anyhow::Result<(u16, Value)> {
    let path = format!("/api/v1/tasks/{}?wait=60s", attack.name);
    let answer = http::post_json(node.url(), &path, ATTACK_INPUT)?;
    Ok((answer.status, answer.json()?))
}

#[tokio::test]
async fn every_attacking_plugin_ends_its_task_by_its_code_beside_a_neighbour_who_proves()
-> anyhow::Result<()> {
    let node = node().await?;
    let neighbour = Neighbour::of(&node);
    for attack in attacks().iter().filter(|attack| !attack.endless) {
        node.upload(attack.build()).await?;
        let (status, answer) = attacked(&node, attack)?;
        let said = format!("case {}, {}: {answer}", attack.case, attack.name);
        match attack.code {
            Some(code) => assert_eq!(
                (status, answer["code"].as_str()),
                (422, Some(code)),
                "{said}"
            ),
            None => assert_eq!(
                (status, answer["state"].as_str()),
                (200, Some("done")),
                "{said}"
            ),
        }
        let shown = answer.to_string();
        assert!(
            !shown.contains("wasm backtrace") && !shown.contains(".rs:"),
            "{said}"
        );
    }
    assert!(neighbour.done()? > 0);
    is_unharmed(&node)
}

#[tokio::test]
async fn a_plugin_that_never_ends_is_stopped_by_the_clock_and_its_neighbour_is_not()
-> anyhow::Result<()> {
    let node = node().await?;
    let endless = attacks()
        .into_iter()
        .find(|attack| attack.endless)
        .ok_or_else(|| anyhow::anyhow!("no attack is endless"))?;
    node.upload(endless.build()).await?;
    let neighbour = Neighbour::of(&node);
    let (status, answer) = attacked(&node, &endless)?;
    assert_eq!(
        (status, answer["code"].as_str()),
        (422, Some("plugin.timeout")),
        "{answer}"
    );
    // It had one of two slots for thirty seconds; the neighbour had the other.
    assert!(neighbour.done()? >= 3);
    is_unharmed(&node)
}

#[tokio::test]
async fn parameters_outside_their_schema_never_reach_the_plugin() -> anyhow::Result<()> {
    let node = node().await?;
    let mut plugin = Constant::new("strict", multiply().0, multiply().1);
    plugin.params_schema = r#"{"type":"integer","maximum":3}"#.to_owned();
    plugin.input_schema = r#"{"type":"integer"}"#.to_owned();
    node.upload(plugin.build()).await?;
    let body = json!({"plugin": "strict", "params": 4}).to_string();
    let answer = http::post_json(node.url(), "/api/v1/circuits?wait=60s", &body)?;
    assert_eq!(
        (answer.status, answer.json()?["code"].clone()),
        (422, json!("params.schema"))
    );
    let answer = http::post_json(node.url(), "/api/v1/tasks/strict?wait=60s", "\"text\"")?;
    assert_eq!(
        (answer.status, answer.json()?["code"].clone()),
        (422, json!("input.schema"))
    );
    is_unharmed(&node)
}
