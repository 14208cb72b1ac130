//! A loaded plugin and its four calls, each on an instance of its own.

mod bindings;
mod classify;
mod convert;
mod description;
mod host;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aureole_ir as ir;
use wasmtime::{Store, component::InstancePre};

use self::bindings::{CircuitPlugin, CircuitPluginIndices, Guest, PluginError};
pub(crate) use self::{bindings::Level, classify::classify, host::Host};
pub use self::{
    description::{Description, PublicInputDescription},
    host::{Log, LogLevel, LogLine},
};
use crate::{
    error::{Error, Problem},
    sandbox::{Inner, shown},
    text,
};

/// A plugin that can be called. Cheap to clone; calls wait for one of the sandbox's slots.
#[derive(Clone)]
pub struct Plugin {
    sandbox: Arc<Inner>,
    pre: InstancePre<Host>,
    exports: Arc<CircuitPluginIndices>,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Call<T> {
    /// The result.
    pub value: T,
    /// What the plugin logged. For [`Plugin::witness`] it may show private inputs: it is for the
    /// task's owner, and for no log file.
    pub log: Log,
    /// Wall time, instantiation included, waiting for a slot not.
    pub duration: Duration,
    /// Of it, until the instance was ready to be called.
    pub instantiation: Duration,
    /// Most bytes of linear memory it had.
    pub memory_bytes: u64,
}

/// Why a call failed, and what the plugin logged until then.
#[derive(Debug)]
pub struct Failure {
    /// The reason.
    pub error: Error,
    /// See [`Call::log`].
    pub log: Log,
    /// Wall time.
    pub duration: Duration,
}

/// Whether a call is given private inputs, so that its log must not reach its error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inputs {
    None,
    Private,
}

// === impl Plugin ===

impl Plugin {
    pub(crate) fn load(sandbox: Arc<Inner>, pre: &InstancePre<Host>) -> Result<Self, Error> {
        let exports = CircuitPluginIndices::new(pre).map_err(|error| Error::World {
            detail: shown(&error),
        })?;
        let plugin = Self {
            sandbox,
            pre: pre.clone(),
            exports: Arc::new(exports),
        };
        plugin.call(Inputs::None, |_, _| Ok(()), Ok)?;
        Ok(plugin)
    }

    /// What the plugin says of itself, checked.
    ///
    /// # Errors
    /// [`Error::Description`], and what any call can run into: traps, limits, broken conventions.
    pub fn describe(&self) -> Result<Call<Description>, Failure> {
        let limits = &self.sandbox.limits;
        self.call(
            Inputs::None,
            |guest, store| guest.call_describe(store),
            |said| Description::check(said, limits),
        )
    }

    /// The circuit for these parameters. Not checked: see [`aureole_ir::Circuit::check`].
    ///
    /// # Errors
    /// [`Error::Params`], [`Error::Internal`], [`Error::OutputMalformed`],
    /// [`Error::InputTooLarge`], and what any call can run into.
    pub fn circuit(&self, params: &str) -> Result<Call<ir::Circuit>, Failure> {
        self.check_length("parameters", params)?;
        self.call(
            Inputs::None,
            |guest, store| guest.call_circuit(store, params),
            |answer| convert::circuit(answer.map_err(said)?),
        )
    }

    /// Names of the circuit's regions, to explain a failed constraint.
    ///
    /// # Errors
    /// As for [`Plugin::circuit`].
    pub fn annotate(&self, params: &str) -> Result<Call<ir::Annotations>, Failure> {
        self.check_length("parameters", params)?;
        self.call(
            Inputs::None,
            |guest, store| guest.call_annotate(store, params),
            |answer| Ok(convert::annotations(answer.map_err(said)?)),
        )
    }

    /// The values for one input. Not checked: see
    /// [`aureole_ir::CheckedCircuit::check_witness`].
    ///
    /// # Errors
    /// As for [`Plugin::circuit`], and [`Error::Input`].
    pub fn witness(&self, params: &str, input: &str) -> Result<Call<ir::Witness>, Failure> {
        self.check_length("parameters", params)?;
        self.check_length("input", input)?;
        self.call(
            Inputs::Private,
            |guest, store| guest.call_witness(store, params, input),
            |answer| convert::witness(answer.map_err(said)?),
        )
    }

    /// Instantiates, calls, converts and drops everything.
    fn call<R, T>(
        &self,
        inputs: Inputs,
        run: impl FnOnce(&Guest, &mut Store<Host>) -> wasmtime::Result<R>,
        convert: impl FnOnce(R) -> Result<T, Error>,
    ) -> Result<Call<T>, Failure> {
        let _slot = self.sandbox.slot();
        let started = Instant::now();
        let mut store = self.sandbox.store().map_err(Failure::before_anything)?;
        let outcome = self.ready(&mut store);
        let instantiation = started.elapsed();
        let limits = &self.sandbox.limits;
        let outcome = outcome
            .and_then(|world| {
                run(world.aureole_circuit_plugin(), &mut store)
                    .map_err(|error| classify(&error, limits))
            })
            .and_then(convert);
        let duration = started.elapsed();
        let Host { log, limiter } = store.into_data();
        let (log, last_error) = log.into_parts();
        match outcome {
            Ok(value) => Ok(Call {
                value,
                log,
                duration,
                instantiation,
                memory_bytes: limiter.memory_bytes,
            }),
            Err(Error::Trap { kind, .. }) if inputs == Inputs::None => Err(Failure {
                error: Error::Trap {
                    kind,
                    panic: last_error,
                },
                log,
                duration,
            }),
            Err(error) => Err(Failure {
                error,
                log,
                duration,
            }),
        }
    }

    /// An instance, ready to be called.
    fn ready(&self, store: &mut Store<Host>) -> Result<CircuitPlugin, Error> {
        let limits = &self.sandbox.limits;
        let instance = self
            .pre
            .instantiate(&mut *store)
            .map_err(|error| classify(&error, limits))?;
        // Compares the types of all four functions with the contract's; no plugin code runs.
        self.exports
            .load(&mut *store, &instance)
            .map_err(|error| Error::World {
                detail: shown(&error),
            })
    }

    fn check_length(&self, item: &'static str, text: &str) -> Result<(), Failure> {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let limit = self.sandbox.limits.input_bytes;
        if bytes > limit {
            return Err(Failure::before_anything(Error::InputTooLarge {
                item,
                bytes,
                limit,
            }));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}

/// The plugin's own words for what is wrong, made fit to be shown.
fn said(error: PluginError) -> Error {
    let problem = |said: bindings::WitProblem| Problem {
        path: text::sanitise(&said.path),
        message: text::sanitise(&said.message),
    };
    match error {
        PluginError::Params(said) => Error::Params(problem(said)),
        PluginError::Input(said) => Error::Input(problem(said)),
        PluginError::Internal(said) => Error::Internal {
            detail: text::sanitise(&said),
        },
    }
}

// === impl Failure ===

impl Failure {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.error.code()
    }

    /// See [`Error::path`].
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.error.path()
    }

    fn before_anything(error: Error) -> Self {
        Self {
            error,
            log: Log::default(),
            duration: Duration::ZERO,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
