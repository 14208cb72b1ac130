//! The engine that plugins run in: its clock, its slots and its one import.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc},
    thread,
};

use wasmtime::{
    Engine, Store,
    component::{Component, Linker, WasmStr},
};

use crate::{
    cache::Trusted,
    engine,
    error::Error,
    limits::{EPOCH_TICK, Limits, MEMORY_RESERVATION},
    plugin::{Host, Level, Plugin, classify},
    text,
};

/// Where plugins are loaded and run. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    linker: Linker<Host>,
    slots: Slots,
    /// Dropped with the sandbox, which ends the clock's thread.
    _clock: mpsc::Sender<()>,
}

/// A semaphore: how many calls run at the same time.
struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

/// A slot in use.
pub(crate) struct Slot<'a>(&'a Slots);

// === impl Sandbox ===

impl Sandbox {
    /// An engine with these limits, and a thread that moves its clock.
    ///
    /// Reserves address space for [`Limits::slots`] linear memories, none of which can be larger
    /// than [`MEMORY_RESERVATION`], whatever the limits say.
    ///
    /// # Errors
    /// [`Error::Sandbox`] if the machine does not give what is asked.
    pub fn new(mut limits: Limits) -> Result<Self, Error> {
        limits.memory_bytes = limits.memory_bytes.min(MEMORY_RESERVATION);
        let engine = engine::runner(&limits)?;
        let linker = linker(&engine).map_err(|error| Error::Sandbox {
            detail: format!("the log cannot be linked: {}", error.root_cause()),
        })?;
        let clock = start_clock(&engine)?;
        let slots = Slots {
            free: Mutex::new(limits.slots.max(1)),
            freed: Condvar::new(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                limits,
                linker,
                slots,
                _clock: clock,
            }),
        })
    }

    /// Makes a plugin of compiled code: maps it, links it, instantiates it once, and compares
    /// every function's type with the contract's.
    ///
    /// # Errors
    /// [`Error::Artifact`] if the code is for another engine, [`Error::World`] if it is not a
    /// plugin, and whatever its start function runs into.
    pub fn load(&self, trusted: &Trusted) -> Result<Plugin, Error> {
        let component = deserialize(&self.inner.engine, trusted)?;
        let pre = self
            .inner
            .linker
            .instantiate_pre(&component)
            .map_err(|error| Error::World {
                detail: shown(&error),
            })?;
        Plugin::load(Arc::clone(&self.inner), &pre)
    }

    /// The limits it was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

/// The only unsafe code here: compiled code is taken for what it says it is.
#[expect(unsafe_code, reason = "there is no safe way to load compiled code")]
fn deserialize(engine: &Engine, trusted: &Trusted) -> Result<Component, Error> {
    // SAFETY: a `Trusted` comes from `CodeCache` only: it was compiled by this node, and read
    // back under a MAC with the node's own secret.
    unsafe { Component::deserialize(engine, trusted.code()) }.map_err(|_| Error::Artifact)
}

pub(crate) fn shown(error: &wasmtime::Error) -> String {
    text::sanitise_to(&error.root_cause().to_string(), 256)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    // Not the generated binding: that one copies the whole message before it can be cut.
    linker.instance("aureole:circuit/log@0.1.0")?.func_wrap(
        "write",
        |mut store, (level, message): (Level, WasmStr)| {
            let host: &mut Host = store.data_mut();
            host.log.count_call()?;
            let room = host.log.room();
            let message = message.to_str(&store)?;
            let kept = text::sanitise_to(&message, room);
            let bytes = u64::try_from(message.len()).unwrap_or(u64::MAX);
            store.data_mut().log.push(level, kept, bytes);
            Ok(())
        },
    )?;
    Ok(linker)
}

/// Moves the engine's epoch until the returned sender is dropped.
fn start_clock(engine: &Engine) -> Result<mpsc::Sender<()>, Error> {
    let (running, stopped) = mpsc::channel();
    let engine = engine.weak();
    thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(move || {
            while stopped.recv_timeout(EPOCH_TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.increment_epoch();
            }
        })
        .map_err(|error| Error::Sandbox {
            detail: format!("the clock does not start: {error}"),
        })?;
    Ok(running)
}

// === impl Inner ===

impl Inner {
    /// Waits until a slot is free.
    pub(crate) fn slot(&self) -> Slot<'_> {
        let mut free = self
            .slots
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self
                .slots
                .freed
                .wait(free)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Slot(&self.slots)
    }

    /// A store with nothing in it and all limits set.
    pub(crate) fn store(&self) -> Result<Store<Host>, Error> {
        let limits = &self.limits;
        let mut store = Store::try_new(&self.engine, Host::new(limits))
            .map_err(|error| classify(&error, limits))?;
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        store.limiter(|host| &mut host.limiter);
        store.set_hostcall_fuel(size(limits.output_bytes));
        store.set_max_component_handles(size(limits.handles.into()));
        let ticks = limits.call_time.as_nanos().div_ceil(EPOCH_TICK.as_nanos());
        // Within u32, so that no sum with the current epoch overflows: 497 days.
        store.set_epoch_deadline(u64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) + 1);
        store.epoch_deadline_trap();
        Ok(store)
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

// === impl Slot ===

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
