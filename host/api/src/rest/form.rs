//! The forms of texts as regular expressions, for JSON Schemas: what the edge takes, no more.
//!
//! Whoever parses such a text does so in its own type; tests of the gateway hold the two together.

use schemars::Schema;
use serde_json::json;

/// The id of a task.
pub(crate) const TASK: &str = "^tsk_[0-9a-f]{32}$";

/// The id of a circuit.
pub(crate) const CIRCUIT: &str = "^cir_[0-9a-f]{32}$";

/// The name of a tenant.
pub(crate) const TENANT: &str = "^[a-z0-9-]{1,63}$";

/// Text without control characters.
pub(crate) const PLAIN: &str = "^[^\\x00-\\x1f\\x7f-\\x9f]*$";

/// A SHA-256.
pub(crate) const DIGEST: &str = "^[0-9a-f]{64}$";

/// A reference to a plugin: a name, a name and a version, or a digest.
pub(crate) const PLUGIN: &str = "^([0-9a-f]{64}|[a-z0-9-]{1,63}(@[0-9][A-Za-z0-9.+-]{0,63})?)$";

/// A field element, big-endian.
pub(crate) const ELEMENT: &str = "^0x[0-9a-f]{64}$";

/// An instant in UTC.
pub(crate) const INSTANT: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z$";

/// Standard base64 with padding.
pub(crate) const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

/// Says that a submission names a circuit, or a plugin with or without parameters.
pub(crate) fn one_target(schema: &mut Schema) {
    let of_circuit = json!({
        "title": "of a circuit",
        "required": ["circuit"],
        "properties": {
            "circuit": {"type": "string"},
            "plugin": {"type": "null"},
            "params": {"type": "null"},
        },
    });
    let of_plugin = json!({
        "title": "of a plugin",
        "required": ["plugin"],
        "properties": {"plugin": {"type": "string"}, "circuit": {"type": "null"}},
    });
    schema.insert("oneOf".to_owned(), json!([of_circuit, of_plugin]));
}
