//! The parameters that several operations have, with the limits that the edge enforces.

use aureole_api::rest::{PluginRef, TaskState, Timestamp};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::operation::Parameter;
use crate::limits;

fn parameter(
    place: &'static str,
    name: &'static str,
    description: impl Into<String>,
    schema: Value,
) -> Parameter {
    Parameter {
        name,
        place,
        description: description.into(),
        schema,
        example: None,
        required: place == "path",
    }
}

/// The schema of a type that refers to no other.
fn alone<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    T::json_schema(&mut SchemaGenerator::new(settings)).to_value()
}

pub(super) fn task() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^tsk_[0-9a-f]{32}$"});
    parameter("path", "task", "The id of a task.", schema)
}

pub(super) fn circuit() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^cir_[0-9a-f]{32}$"});
    parameter("path", "circuit", "The id of a circuit.", schema)
}

pub(super) fn webhook() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^whk_[0-9a-f]{32}$"});
    parameter("path", "webhook", "The id of a webhook.", schema)
}

pub(super) fn worker() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"});
    parameter("path", "worker", "The name of a worker.", schema)
}

pub(super) fn key() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^aur_[0-9a-f]{16}$"});
    parameter("path", "key", "The public part of a key.", schema)
}

/// A tenant's name, wherever it stands.
const TENANT: &str = "^[a-z0-9-]{1,63}$";

pub(super) fn tenant() -> Parameter {
    let schema = json!({"type": "string", "pattern": TENANT});
    Parameter {
        example: Some("default".into()),
        ..parameter("path", "tenant", "The name of a tenant.", schema)
    }
}

pub(super) fn of_tenant() -> Parameter {
    let schema = json!({"type": "string", "pattern": TENANT});
    parameter("query", "tenant", "Keys of this tenant only.", schema)
}

/// The name that a key is published under.
pub(super) fn name() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[a-z0-9-]{1,63}$"});
    parameter("path", "name", "The name of a verifying key.", schema)
}

/// A tile's path below `tile/`, slashes and all.
pub(super) fn tile() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[a-z0-9]+(/[a-z0-9.]+)+$"});
    Parameter {
        example: Some("0/000.p/1".into()),
        ..parameter("path", "tile", "The path of a tile, below `tile/`.", schema)
    }
}

/// A file of the console by its path below `/console/`, slashes and all.
pub(super) fn console_file() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[a-z0-9-]+(/[a-z0-9-]+)*\\.[a-z]+$"});
    Parameter {
        example: Some("app.js".into()),
        ..parameter(
            "path",
            "file",
            "The path of a file, below `/console/`.",
            schema,
        )
    }
}

/// A number of leaves, or one of them.
pub(super) fn number(name: &'static str, text: &'static str, required: bool) -> Parameter {
    let schema = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX});
    Parameter {
        required,
        ..parameter("query", name, text, schema)
    }
}

/// A plugin by name, name and version, or digest.
pub(super) fn plugin() -> Parameter {
    Parameter {
        example: Some("merkle".into()),
        ..parameter(
            "path",
            "plugin",
            "A plugin: its name (the newest ready version), name@version, or its digest.",
            alone::<PluginRef>(),
        )
    }
}

/// The two segments of `name/version`.
pub(super) fn name_and_version() -> [Parameter; 2] {
    let name = json!({"type": "string", "pattern": "^[a-z0-9-]{1,63}$"});
    let version = json!({"type": "string", "pattern": "^[0-9][A-Za-z0-9.+-]{0,63}$"});
    [
        Parameter {
            example: Some("merkle".into()),
            ..parameter("path", "plugin", "The plugin's name.", name)
        },
        Parameter {
            example: Some("0.1.0".into()),
            ..parameter("path", "version", "Its version.", version)
        },
    ]
}

pub(super) fn wait(default: &'static str) -> Parameter {
    let text = format!(
        "How long the answer may wait for the end, as a duration with its unit, at most {} s; \
         {default} unless asked for.",
        limits::WAIT_MAX.as_secs()
    );
    // Hours, weeks and spaces are read too; the schema says what is of use.
    let schema = json!({"type": "string", "pattern": "^(0|([0-9]|[1-5][0-9]|60)s)$"});
    Parameter {
        example: Some("5s".into()),
        ..parameter("query", "wait", text, schema)
    }
}

pub(super) fn state() -> Parameter {
    let schema = json!({"type": "string", "enum": TaskState::ALL.map(TaskState::name)});
    parameter("query", "state", "Tasks in this state only.", schema)
}

pub(super) fn of_plugin() -> Parameter {
    let text = "Tasks of this plugin only.";
    parameter("query", "plugin", text, alone::<PluginRef>())
}

pub(super) fn limit() -> Parameter {
    let text = format!(
        "How many at most; {} unless asked for.",
        limits::PAGE_DEFAULT
    );
    let schema = json!({"type": "integer", "minimum": 1, "maximum": limits::PAGE_MAX});
    parameter("query", "limit", text, schema)
}

pub(super) fn before_act() -> Parameter {
    let schema = json!({"type": "integer", "minimum": 0});
    let text = "Only acts before this number: the `next` of the page before.";
    parameter("query", "before", text, schema)
}

pub(super) fn before() -> Parameter {
    let schema = json!({
        "type": "string",
        "pattern": format!("^[A-Za-z0-9._-]{{1,{}}}$", limits::CURSOR_MAX),
    });
    let text = "The `next` of the page before.";
    parameter("query", "before", text, schema)
}

/// What the key means for a task.
pub(super) const KEY_OF_TASK: &str = "Names the submission: the same key with the same request answers the same task, with \
     another request 409.";

/// What the key means where a thing's id is computed from its content.
pub(super) const KEY_OF_CONTENT: &str = "Taken and checked for its form; it changes nothing, for the same content has the same id and \
     is made once.";

pub(super) fn idempotency_key(text: &'static str) -> Parameter {
    let schema = json!({
        "type": "string",
        "pattern": format!("^[!-~]{{1,{}}}$", limits::IDEMPOTENCY_KEY_MAX),
    });
    parameter("header", "Idempotency-Key", text, schema)
}

pub(super) fn if_none_match() -> Parameter {
    let text = "ETags that the caller has: 304 when one of them is still right.";
    parameter("header", "If-None-Match", text, json!({"type": "string"}))
}

pub(super) fn if_match() -> Parameter {
    let text = "ETags of what the caller has seen: 412 when it has changed since.";
    parameter("header", "If-Match", text, json!({"type": "string"}))
}

pub(super) fn batch_key() -> Parameter {
    let schema = json!({
        "type": "string",
        "pattern": format!("^[!-~]{{1,{}}}$", limits::BATCH_KEY_MAX),
    });
    let text = "Each item's key is this one and its place in the batch.";
    parameter("header", "Idempotency-Key", text, schema)
}

pub(super) fn of_circuit() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^cir_[0-9a-f]{32}$"});
    parameter("query", "circuit", "Tasks of this circuit only.", schema)
}

pub(super) fn since() -> Parameter {
    let text = "Tasks submitted at this instant or later.";
    parameter("query", "since", text, alone::<Timestamp>())
}

pub(super) fn until() -> Parameter {
    let text = "Tasks submitted before this instant.";
    parameter("query", "until", text, alone::<Timestamp>())
}

pub(super) fn sort() -> Parameter {
    let schema = json!({"type": "string", "enum": ["newest", "oldest"]});
    let text = "Which tasks come first, by when they were submitted; newest unless asked for.";
    parameter("query", "sort", text, schema)
}

pub(super) fn last_event_id() -> Parameter {
    let text = "The id of the last event that the reader has.";
    parameter("header", "Last-Event-ID", text, json!({"type": "string"}))
}

pub(super) fn code() -> Parameter {
    let schema = json!({"type": "string", "pattern": "^[a-z_]+(\\.[a-z_]+)?$"});
    Parameter {
        example: Some("task.unknown".into()),
        ..parameter("path", "code", "A stable code.", schema)
    }
}

pub(super) fn signature() -> Parameter {
    let text = "The publisher's signature, as `aureole plugin publish --key` sends it.";
    let form = json!({"type": "string", "pattern": "^ed25519:[0-9a-f]{64}:[0-9a-f]{128}$"});
    parameter("header", aureole_api::rest::SIGNATURE_HEADER, text, form)
}
