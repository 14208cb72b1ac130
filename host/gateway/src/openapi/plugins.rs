//! Plugins in the document.

use aureole_api::{
    codes::{node, plugin, request},
    rest::{Plugin, PluginList},
};
use axum::http::Method;

use super::{
    operation::{Body, Header, Operation, Shape},
    parameters,
    refusals::{OF_COMPONENTS, facts, families, stored},
};

const TAG: &str = "plugins";

pub(super) fn operations() -> Vec<Operation> {
    let [name, version] = parameters::name_and_version();
    let [name_too, version_too] = parameters::name_and_version();
    vec![
        put(),
        Operation::new(TAG, "listPlugins", Method::GET, "/api/v1/plugins")
            .says(
                "Lists plugins",
                "By name and version, without their schemas.",
            )
            .answers::<PluginList>(200, &[], "All plugins.")
            .refuses(facts()),
        show("showPlugin", "/api/v1/plugins/{plugin}").with(parameters::plugin()),
        show("showPluginVersion", "/api/v1/plugins/{plugin}/{version}")
            .with(name)
            .with(version),
        retire("retirePlugin", "/api/v1/plugins/{plugin}")
            .with(parameters::plugin())
            .refuses([plugin::VERSION_REQUIRED]),
        retire("retirePluginVersion", "/api/v1/plugins/{plugin}/{version}")
            .with(name_too)
            .with(version_too),
    ]
}

fn put() -> Operation {
    Operation::new(TAG, "putPlugin", Method::POST, "/api/v1/plugins")
        .says(
            "Uploads a plugin",
            "The body is a WebAssembly component. It is stored, inspected by a worker, and takes \
             tasks when it is ready. A component's digest is its identity: uploading it again \
             changes nothing.",
        )
        .with(parameters::wait("30 s"))
        .with(parameters::idempotency_key(parameters::KEY_OF_CONTENT))
        .with(parameters::signature())
        .takes_body(Body {
            description: "The component.",
            media: &["application/wasm", "application/octet-stream"],
            shape: Shape::Bytes,
            examples: Vec::new(),
        })
        .answers::<Plugin>(200, &[Header::Location], "It was here already.")
        .answers::<Plugin>(201, &[Header::Location], "It is new, and ready.")
        .answers::<Plugin>(202, &[Header::Location], "It is still being inspected.")
        .refuses(families(OF_COMPONENTS))
        .refuses(facts())
        .refuses(stored())
        .refuses([node::NO_WORKER, request::TOO_LARGE])
        .refuses(families(&["task"]))
        .leads_to("showPlugin", "plugin", "$response.body#/digest")
        .leads_to("retirePlugin", "plugin", "$response.body#/digest")
}

fn show(id: &'static str, path: &'static str) -> Operation {
    Operation::new(TAG, id, Method::GET, path)
        .says(
            "Shows a plugin",
            "With its schemas, default parameters and what is odd about it. While it is being \
             inspected, `wait` waits for the end of that.",
        )
        .with(parameters::wait("no time"))
        .with(parameters::if_none_match())
        .answers::<Plugin>(200, &[Header::Etag], "The plugin.")
        .replies(304, "", Shape::Empty, &[Header::Etag], "The caller has it.")
        .refuses([plugin::UNKNOWN])
        .refuses(facts())
}

fn retire(id: &'static str, path: &'static str) -> Operation {
    Operation::new(TAG, id, Method::DELETE, path)
        .says(
            "Retires a plugin",
            "It takes nothing new; what it has proved stays. The reference names one version, or \
             is a digest. Retiring twice is no error.",
        )
        .with(parameters::if_match())
        .answers::<Plugin>(200, &[], "The plugin as it stands now.")
        .refuses([plugin::UNKNOWN, plugin::NOT_READY, plugin::REJECTED])
        .refuses([plugin::NOT_YOURS])
        .refuses([request::PRECONDITION])
        .refuses(facts())
}
