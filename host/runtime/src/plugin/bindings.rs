//! What wasmtime generates from the contract in `wit/`.

#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "generated code, which differs between versions of the generator"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "circuit-plugin",
    });
}

pub(crate) use generated::aureole::circuit::log::Level;
pub(super) use generated::{
    CircuitPlugin, CircuitPluginIndices,
    aureole::circuit::types::{
        Annotations, Backend, Circuit, Column, ColumnKind, ConstraintSystem, Description,
        Error as PluginError, Expression, Field, Fill, Layout, Problem as WitProblem,
        PublicInputDescription, Query, Region, Witness,
    },
    exports::aureole::circuit::plugin::Guest,
};
