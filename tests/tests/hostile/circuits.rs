//! Circuits that break a rule and witnesses that lie, by way of plugins that return what they were
//! given.

use std::collections::BTreeSet;

use aureole_handmade::{Constant, hostile_circuits, hostile_witnesses, multiply};
use aureole_tests::{cli::aureole, http};
use serde_json::{Value, json};

use crate::neighbour::{Neighbour, is_unharmed, node};

fn prepare(url: &str, plugin: &str, params: &Value) -> anyhow::Result<(u16, Value)> {
    let body = json!({"plugin": plugin, "params": params}).to_string();
    let answer = http::post_json(url, "/api/v1/circuits?wait=60s", &body)?;
    Ok((answer.status, answer.json()?))
}

fn prove(url: &str, request: &Value) -> anyhow::Result<(u16, Value)> {
    let answer = http::post_json(url, "/api/v1/tasks?wait=60s", &request.to_string())?;
    Ok((answer.status, answer.json()?))
}

#[tokio::test]
async fn every_hostile_circuit_is_refused_by_its_code_and_every_odd_one_accepted()
-> anyhow::Result<()> {
    let node = node().await?;
    let neighbour = Neighbour::of(&node);
    let cases = hostile_circuits();
    let mut plugin = Constant::new("circuits", multiply().0, multiply().1);
    plugin
        .circuits
        .extend(cases.iter().map(|case| case.circuit.clone()));
    node.upload(plugin.build()).await?;
    for (number, case) in cases.iter().enumerate() {
        let (status, answer) = prepare(node.url(), "circuits", &json!(number + 1))?;
        let said = format!("case {}, {}: {answer}", case.case, case.name);
        let Some(code) = case.code else {
            assert!(status < 300, "{said}");
            assert_eq!(answer["state"], "ready", "{said}");
            let lints: Vec<&str> = answer["lints"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|lint| lint["code"].as_str())
                .collect();
            assert!(case.lint.is_none_or(|lint| lints.contains(&lint)), "{said}");
            continue;
        };
        assert_eq!(
            (status, answer["code"].as_str()),
            (422, Some(code)),
            "{said}"
        );
    }
    assert!(neighbour.done()? > 0);
    is_unharmed(&node)
}

#[tokio::test]
async fn every_hostile_witness_ends_its_task_by_its_code_without_a_proof() -> anyhow::Result<()> {
    let node = node().await?;
    let neighbour = Neighbour::of(&node);
    let cases = hostile_witnesses();
    let mut plugin = Constant::new("witnesses", multiply().0, multiply().1);
    plugin
        .witnesses
        .extend(cases.iter().map(|case| case.witness.clone()));
    node.upload(plugin.build()).await?;
    let (status, good) = prove(node.url(), &json!({"plugin": "witnesses", "input": 0}))?;
    assert_eq!(
        (status, good["state"].as_str()),
        (200, Some("done")),
        "{good}"
    );
    for (number, case) in cases.iter().enumerate() {
        let request = json!({"plugin": "witnesses", "input": number + 1});
        let (status, answer) = prove(node.url(), &request)?;
        let said = format!("case {}, {}: {answer}", case.case, case.name);
        assert_eq!(
            (status, answer["code"].as_str()),
            (422, Some(case.code)),
            "{said}"
        );
        assert!(answer.get("proof").is_none_or(Value::is_null), "{said}");
    }
    assert!(neighbour.done()? > 0);
    is_unharmed(&node)
}

#[tokio::test]
async fn what_is_odd_about_a_default_circuit_stands_in_the_plugins_record() -> anyhow::Result<()> {
    let node = node().await?;
    let folder = tempfile::tempdir()?;
    let odd = hostile_circuits().into_iter();
    for (number, case) in odd.filter(|case| case.lint.is_some()).enumerate() {
        let lint = case.lint.unwrap_or_default();
        let name = format!("odd-{number}");
        let component = Constant::new(&name, case.circuit, multiply().1).build();
        let file = folder.path().join("odd.wasm");
        std::fs::write(&file, &component)?;
        node.upload(component).await?;

        let record = http::get(node.url(), &format!("/api/v1/plugins/{name}"))?.json()?;
        let lints = record["lints"].as_array().cloned().unwrap_or_default();
        let said = format!("case {}, {}: {record}", case.case, case.name);
        assert!(lints.iter().any(|it| it["code"] == lint), "{said}");

        let shown = aureole(Some(node.url()), folder.path(), ["plugin", "show", &name])?.text()?;
        assert!(shown.contains(lint), "{shown}");
        let file = file.display().to_string();
        let checked = aureole(None, folder.path(), ["plugin", "check", &file])?.text()?;
        assert!(
            checked.contains("warning") && checked.contains(lint),
            "{checked}"
        );
    }
    // And nothing is odd about an honest one.
    let record = http::get(node.url(), "/api/v1/plugins/preimage")?.json()?;
    assert!(record.get("lints").is_none(), "{record}");
    is_unharmed(&node)
}

#[tokio::test]
async fn a_storm_of_parameters_leaves_the_neighbour_proving() -> anyhow::Result<()> {
    let node = node().await?;
    node.upload(Constant::new("storm", multiply().0, multiply().1).build())
        .await?;
    let neighbour = Neighbour::of(&node);
    let mut circuits = BTreeSet::new();
    for number in 0..200 {
        let body = json!({"plugin": "storm", "params": {"n": number}}).to_string();
        let answer = http::post_json(node.url(), "/api/v1/circuits", &body)?;
        assert!([201, 202].contains(&answer.status), "{}", answer.json()?);
        circuits.extend(answer.json()?["id"].as_str().map(str::to_owned));
    }
    assert_eq!(circuits.len(), 200);
    let last = circuits.iter().next_back().cloned().unwrap_or_default();
    let shown = http::get(node.url(), &format!("/api/v1/circuits/{last}?wait=60s"))?.json()?;
    assert_eq!(shown["state"], "ready", "{shown}");
    assert!(neighbour.done()? > 0);
    is_unharmed(&node)
}

#[tokio::test]
async fn a_new_version_with_another_key_leaves_the_old_one_as_it_was() -> anyhow::Result<()> {
    let node = node().await?;
    let (circuit, witness) = multiply();
    let old = Constant::new("updated", circuit.clone(), witness.clone());
    let mut new = Constant::new("updated", circuit, witness);
    new.version = "0.2.0".to_owned();
    new.circuits[0].k = 5;
    node.upload(old.build()).await?;
    let before = node.circuit("updated@0.1.0", json!(0)).await?;
    let task = node.submit(&before.id, json!(0)).await?;
    node.upload(new.build()).await?;
    let after = node.circuit("updated", json!(0)).await?;
    assert_ne!(before.id, after.id);
    assert_ne!(before.key_digest, after.key_digest);
    // The task that was under way, and one that asks for the old circuit now.
    assert_eq!(
        node.done(&task.id).await?.circuit.as_ref(),
        Some(&before.id)
    );
    let again = node.submit(&before.id, json!(0)).await?;
    assert_eq!(
        node.done(&again.id).await?.circuit.as_ref(),
        Some(&before.id)
    );
    assert_eq!(
        node.circuit("updated@0.1.0", json!(0)).await?.key_digest,
        before.key_digest
    );
    is_unharmed(&node)
}
