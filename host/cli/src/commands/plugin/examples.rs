//! The author's examples: inputs, and what should become of them.
//!
//! They stand in `examples/*.json` and `aureole-tests.json` of the crate, one or a list of them a
//! file:
//!
//! ```json
//! {"name": "three factors of 30", "params": {"factors": 3}, "input": {"factors": [2, 3, 5]},
//!  "expect": {"proves": {"product": "0x00…1e"}}}
//! ```
//!
//! `expect` is `"proves"`, `{"proves": {NAME: ELEMENT or [ELEMENT…]}}` with public inputs, or
//! `{"refused": {"code": CODE, "path": POINTER}}`, the path by choice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

/// The file for those who keep all examples in one.
const ONE_FILE: &str = "aureole-tests.json";

/// An input and what should become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    /// What it shows.
    pub(super) name: String,
    /// The circuit's parameters, where the plugin's defaults will not do.
    pub(super) params: Option<Value>,
    /// The input.
    pub(super) input: Value,
    /// What should become of it.
    pub(super) expect: Expectation,
}

/// What should become of an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Expectation {
    /// A proof that verifies; where public inputs are named, with these.
    Proves(BTreeMap<String, Elements>),
    /// A refusal with this code, at this place.
    Refused { code: String, path: Option<String> },
}

/// One field element, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Elements {
    One(String),
    Several(Vec<String>),
}

/// Reads a crate's examples, in the order of their files' names.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for file in files(folder)? {
        let shown = file.display();
        let text = fs::read_to_string(&file).with_context(|| format!("could not read {shown}"))?;
        let document: Value =
            serde_json::from_str(&text).with_context(|| format!("{shown} is no JSON"))?;
        let list = match document {
            Value::Array(list) => list,
            one => vec![one],
        };
        for (at, example) in list.into_iter().enumerate() {
            examples.push(
                Example::deserialize(example)
                    .with_context(|| format!("{shown}: example {at} is none"))?,
            );
        }
    }
    ensure!(
        !examples.is_empty(),
        "{} has no examples: write `examples/NAME.json` with name, input and expect, such as \
         {{\"name\": \"good\", \"input\": {{}}, \"expect\": \"proves\"}}",
        folder.display()
    );
    Ok(examples)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let examples = folder.join("examples");
    if examples.is_dir() {
        let entries = fs::read_dir(&examples)
            .with_context(|| format!("could not read {}", examples.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    let one = folder.join(ONE_FILE);
    if one.is_file() {
        files.push(one);
    }
    Ok(files)
}

impl TryFrom<Value> for Expectation {
    type Error = anyhow::Error;

    fn try_from(value: Value) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Refused {
            code: String,
            path: Option<String>,
        }
        if value == "proves" {
            return Ok(Self::Proves(BTreeMap::new()));
        }
        let fields = value.as_object().filter(|fields| fields.len() == 1);
        match fields.and_then(|fields| fields.iter().next()) {
            Some((word, inputs)) if word == "proves" => {
                let inputs = BTreeMap::deserialize(inputs).context(
                    "`proves` takes public inputs by name, each an element or a list of them",
                )?;
                Ok(Self::Proves(inputs))
            }
            Some((word, refused)) if word == "refused" => {
                let Refused { code, path } = Refused::deserialize(refused)
                    .context("`refused` takes a `code` and, by choice, a `path`")?;
                Ok(Self::Refused { code, path })
            }
            _ => bail!(
                "`expect` is \"proves\", {{\"proves\": {{…}}}} or {{\"refused\": {{\"code\": …}}}}"
            ),
        }
    }
}

// === impl Elements ===

impl Elements {
    /// The elements in lower case.
    pub(super) fn list(&self) -> Vec<String> {
        match self {
            Self::One(element) => vec![element.to_lowercase()],
            Self::Several(elements) => elements.iter().map(|text| text.to_lowercase()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Which files are examples.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use serde_json::json;

    fn expectation(value: Value) -> Result<Expectation, String> {
        Expectation::deserialize(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_three_expectations_read() {
        let proves = Expectation::Proves(BTreeMap::new());
        assert_eq!(expectation(json!("proves")), Ok(proves.clone()));
        assert_eq!(expectation(json!({"proves": {}})), Ok(proves));
        let refused = json!({"refused": {"code": "input.invalid"}});
        let code = "input.invalid".to_owned();
        assert_eq!(
            expectation(refused),
            Ok(Expectation::Refused { code, path: None })
        );
    }

    #[test]
    fn another_expectation_is_refused_with_the_three() {
        for other in [
            json!("fails"),
            json!({}),
            json!(null),
            json!({"refused": "no"}),
        ] {
            assert!(expectation(other.clone()).is_err(), "{other}");
        }
        assert!(
            expectation(json!("fails"))
                .unwrap_err()
                .contains("\"proves\"")
        );
    }

    #[test]
    fn a_folder_without_examples_is_refused_with_how_to_write_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("examples/NAME.json"), "{error}");
    }

    #[test]
    fn examples_come_in_the_order_of_their_files_and_a_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let examples = folder.path().join("examples");
        fs::create_dir(&examples).unwrap();
        let example = |name: &str| json!({"name": name, "input": 1, "expect": "proves"});
        fs::write(examples.join("b.json"), example("b").to_string()).unwrap();
        fs::write(examples.join("a.json"), json!([example("a")]).to_string()).unwrap();
        fs::write(folder.path().join(ONE_FILE), example("one").to_string()).unwrap();
        let names: Vec<String> = read(folder.path())
            .unwrap()
            .into_iter()
            .map(|example| example.name)
            .collect();
        assert_eq!(names, ["a", "b", "one"]);
        fs::write(examples.join("c.json"), "{\"name\": 1}").unwrap();
        let error = read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("c.json: example 0"), "{error}");
    }
}
