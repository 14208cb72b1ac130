//! The sandbox's side of the contract: `wit/circuit.wit` in terms of [`native`](crate::native).
//!
//! Only compiled for `wasm32`, and only [`export!`](crate::export) refers to it.

use std::marker::PhantomData;
use std::sync::Once;

use aureole_ir as ir;

use crate::native::{self, Error};
use crate::{Plugin, Problem};

mod convert;

/// What `wit-bindgen` makes of the contract.
#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated: the component ABI is raw pointers, and the WIT file has the documentation"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "circuit-plugin",
        pub_export_macro: true,
        default_bindings_module: "aureole_sdk::guest::bindings",
    });
}

use bindings::aureole::circuit::log;
use bindings::aureole::circuit::types;
use bindings::exports::aureole::circuit::plugin::Guest;

/// Longest panic message sent to the log. 2 KiB: what the host keeps of a line.
const PANIC_BYTES_MAX: usize = 2 << 10;

/// A plugin as the component's export.
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

// === impl Component ===

impl<P: Plugin> Guest for Component<P> {
    fn describe() -> types::Description {
        report_panics();
        match native::describe::<P>() {
            Ok(description) => convert::description(description),
            Err(error) => {
                // The contract has no error here, and there is nothing a caller could change.
                log::write(log::Level::Error, &chain(&error));
                std::process::abort()
            }
        }
    }

    fn circuit(params: String) -> Result<types::Circuit, types::Error> {
        report_panics();
        native::circuit::<P>(&params)
            .map(convert::circuit)
            .map_err(error)
    }

    fn annotate(params: String) -> Result<types::Annotations, types::Error> {
        report_panics();
        native::annotate::<P>(&params)
            .map(convert::annotations)
            .map_err(error)
    }

    fn witness(params: String, input: String) -> Result<types::Witness, types::Error> {
        report_panics();
        native::witness::<P>(&params, &input)
            .map(convert::witness)
            .map_err(error)
    }
}

/// A panic in WASM is a bare `unreachable`; the hook tells the host what it was.
fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let mut message = info.to_string();
            let end = message.floor_char_boundary(PANIC_BYTES_MAX);
            message.truncate(end);
            log::write(log::Level::Error, &message);
        }));
    });
}

fn error(error: Error) -> types::Error {
    match error {
        Error::Params(problem) => types::Error::Params(convert::problem(problem)),
        Error::Input(problem) => types::Error::Input(convert::problem(problem)),
        other => types::Error::Internal(chain(&other)),
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
