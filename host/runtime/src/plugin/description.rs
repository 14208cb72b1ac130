//! What a plugin says of itself, and what of it is acceptable.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bindings as wit;
use crate::{
    error::Error,
    limits::{Limits, NAME_BYTES, SUMMARY_BYTES, VERSION_BYTES},
    text,
};

/// What a plugin says of itself, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Lower-case letters, digits and dashes; 1 to 63 characters.
    pub name: String,
    /// A semantic version.
    pub version: String,
    /// One sentence, fit to be shown.
    pub summary: String,
    /// The proof system: `halo2-ipa`.
    pub backend: String,
    /// The field: `pallas-base`.
    pub field: String,
    /// JSON Schema of the parameters: an object or a boolean.
    pub params_schema: Value,
    /// JSON Schema of one input.
    pub input_schema: Value,
    /// The parameters used when a caller gives none.
    pub default_params: Option<Value>,
    /// Every public input that a circuit of this plugin may have.
    pub public_inputs: Vec<PublicInputDescription>,
}

/// A public input's name and meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicInputDescription {
    /// Lower-case letters, digits, dashes and underscores; 1 to 63 characters.
    pub name: String,
    /// One sentence, fit to be shown.
    pub summary: String,
}

// === impl Description ===

impl Description {
    pub(super) fn check(said: wit::Description, limits: &Limits) -> Result<Self, Error> {
        Ok(Self {
            name: name(said.name)?,
            version: version(said.version)?,
            summary: text::sanitise_to(&said.summary, SUMMARY_BYTES),
            backend: match said.backend {
                wit::Backend::Halo2Ipa => "halo2-ipa".to_owned(),
            },
            field: match said.field {
                wit::Field::PallasBase => "pallas-base".to_owned(),
            },
            params_schema: schema("params-schema", &said.params_schema, limits)?,
            input_schema: schema("input-schema", &said.input_schema, limits)?,
            default_params: said
                .default_params
                .map(|params| json("plugin.default_params", "default-params", &params, limits))
                .transpose()?,
            public_inputs: public_inputs(said.public_inputs, limits)?,
        })
    }
}

fn name(name: String) -> Result<String, Error> {
    if is_name(&name, false) {
        return Ok(name);
    }
    Err(refused(
        "plugin.name",
        "name",
        format!(
            "must be 1 to {NAME_BYTES} lower-case letters, digits and dashes, and not begin or end \
         with a dash"
        ),
    ))
}

fn is_name(name: &str, underscore: bool) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || byte == b'-'
            || (underscore && byte == b'_')
    };
    (1..=NAME_BYTES).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn version(version: String) -> Result<String, Error> {
    if version.len() <= VERSION_BYTES && semver::Version::parse(&version).is_ok() {
        return Ok(version);
    }
    Err(refused(
        "plugin.version",
        "version",
        format!("must be a semantic version such as 1.2.3, at most {VERSION_BYTES} bytes"),
    ))
}

fn schema(item: &'static str, said: &str, limits: &Limits) -> Result<Value, Error> {
    let schema = json("plugin.schema", item, said, limits)?;
    if schema.is_object() || schema.is_boolean() {
        return Ok(schema);
    }
    Err(refused(
        "plugin.schema",
        item,
        "must be a JSON Schema: an object or a boolean".to_owned(),
    ))
}

fn json(
    code: &'static str,
    item: &'static str,
    said: &str,
    limits: &Limits,
) -> Result<Value, Error> {
    let bytes = u64::try_from(said.len()).unwrap_or(u64::MAX);
    if bytes > limits.schema_bytes {
        let detail = format!("has {bytes} bytes, {} are allowed", limits.schema_bytes);
        return Err(refused(code, item, detail));
    }
    serde_json::from_str(said).map_err(|error| {
        refused(
            code,
            item,
            format!(
                "must be JSON; it is wrong at line {}, column {}",
                error.line(),
                error.column()
            ),
        )
    })
}

fn public_inputs(
    said: Vec<wit::PublicInputDescription>,
    limits: &Limits,
) -> Result<Vec<PublicInputDescription>, Error> {
    const CODE: &str = "plugin.public_inputs";
    const ITEM: &str = "public-inputs";
    let limit = usize::try_from(limits.described_public_inputs).unwrap_or(usize::MAX);
    if said.len() > limit {
        let detail = format!("{} are named, {limit} are allowed", said.len());
        return Err(refused(CODE, ITEM, detail));
    }
    let mut checked: Vec<PublicInputDescription> = Vec::with_capacity(said.len());
    for (position, input) in said.into_iter().enumerate() {
        if !is_name(&input.name, true) {
            return Err(refused(
                CODE,
                ITEM,
                format!(
                    "number {position} must have a name of 1 to {NAME_BYTES} lower-case letters, \
                 digits, dashes and underscores"
                ),
            ));
        }
        if checked.iter().any(|earlier| earlier.name == input.name) {
            return Err(refused(
                CODE,
                ITEM,
                format!("number {position} has a name used before"),
            ));
        }
        checked.push(PublicInputDescription {
            name: input.name,
            summary: text::sanitise_to(&input.summary, SUMMARY_BYTES),
        });
    }
    Ok(checked)
}

fn refused(code: &'static str, item: &'static str, detail: String) -> Error {
    Error::Description { code, item, detail }
}
