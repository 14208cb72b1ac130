//! Checks a JSON document against a plugin's own schema, before any of the plugin's code runs.
//!
//! The schema comes from an untrusted plugin: it is compiled without network or file references,
//! patterns run on an engine with linear time, and the words of a refusal never hold the value.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Largest compiled size of one pattern; a schema of plain field patterns needs a hundredth.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A compiled schema.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Validator>);

/// The first place where a document breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Mismatch {
    /// JSON pointer into the document.
    pub path: String,
    /// What the schema wants there.
    pub message: String,
}

// === impl Schema ===

impl Schema {
    /// Compiles a plugin's schema.
    ///
    /// # Errors
    /// Says what is wrong with the schema.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        let patterns = PatternOptions::regex()
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX);
        jsonschema::options()
            .with_pattern_options(patterns)
            .build(schema)
            .map(|validator| Self(Arc::new(validator)))
            .map_err(|error| error.to_string())
    }

    /// Checks a document.
    pub fn check(&self, document: &Value) -> Result<(), Mismatch> {
        match self.0.iter_errors(document).next() {
            None => Ok(()),
            Some(error) => Err(Mismatch {
                path: error.instance_path().to_string(),
                message: error.masked().to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    //! A mismatch names the place and never the value.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::Schema;
    use serde_json::json;

    #[test]
    fn a_mismatch_names_the_place_and_hides_the_value() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {"leaves": {"type": "array", "items": {"type": "string", "pattern": "^0x[0-9a-f]{4}$"}}},
        }))
        .unwrap();
        assert_eq!(schema.check(&json!({"leaves": ["0x0123"]})), Ok(()));
        let mismatch = schema
            .check(&json!({"leaves": ["0x0123", "secret"]}))
            .unwrap_err();
        assert_eq!(mismatch.path, "/leaves/1");
        assert!(!mismatch.message.contains("secret"), "{}", mismatch.message);
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        assert!(Schema::compile(&json!({"type": "nothing"})).is_err());
    }

    #[test]
    fn a_schema_reaches_for_no_other_document() {
        for reference in [
            "https://example.invalid/schema.json",
            "file:///etc/hostname",
        ] {
            assert!(
                Schema::compile(&json!({"$ref": reference})).is_err(),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_pattern_that_would_backtrack_for_ever_ends() {
        let schema = Schema::compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert!(
            schema
                .check(&json!(format!("{}b", "a".repeat(50_000))))
                .is_err()
        );
    }
}
