//! What a plugin says of itself, from the constants and types of its trait.

use schemars::{JsonSchema, SchemaGenerator};

use crate::Plugin;

/// What a plugin says of itself; the same for every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// JSON Schema (2020-12) of the parameters.
    pub params_schema: String,
    /// JSON Schema (2020-12) of one input.
    pub input_schema: String,
    /// The parameters used when a caller gives none, as JSON.
    pub default_params: Option<String>,
    /// Name and summary of every public input.
    pub public_inputs: Vec<(String, String)>,
}

/// Describes a plugin.
pub(crate) fn describe<P: Plugin>() -> Result<Description, serde_json::Error> {
    let default_params = P::default_params()
        .map(|params| serde_json::to_string(&params))
        .transpose()?;
    Ok(Description {
        name: P::NAME.to_owned(),
        version: P::VERSION.to_owned(),
        summary: P::SUMMARY.to_owned(),
        params_schema: schema::<P::Params>()?,
        input_schema: schema::<P::Input>()?,
        default_params,
        public_inputs: P::PUBLIC_INPUTS
            .iter()
            .map(|(name, summary)| ((*name).to_owned(), (*summary).to_owned()))
            .collect(),
    })
}

fn schema<T: JsonSchema>() -> Result<String, serde_json::Error> {
    serde_json::to_string(&SchemaGenerator::default().into_root_schema_for::<T>())
}
