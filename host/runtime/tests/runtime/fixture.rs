//! One sandbox for plugins in WebAssembly text, whose every byte is the test's choice.

use std::{
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use aureole_runtime::{
    CodeCache, Description, Error, Failure, Limits, Plugin, Sandbox, Trusted, compile,
};
use sha2::{Digest as _, Sha256};

pub use aureole_handmade::{LOG, Parts, component};

/// What a test does with [`Parts`].
pub trait Load {
    /// The component, compiled and loaded.
    fn load(&self) -> Result<Plugin, Error>;
}

impl Load for Parts<'_> {
    fn load(&self) -> Result<Plugin, Error> {
        load(&self.build())
    }
}

/// Limits with which an attack ends soon.
pub fn limits() -> Limits {
    Limits {
        call_time: Duration::from_millis(400),
        memory_bytes: 64 << 20,
        output_bytes: 16 << 20,
        slots: 4,
        ..Limits::default()
    }
}

/// One sandbox for all tests: what hurts it in one shows in another.
pub fn sandbox() -> &'static Sandbox {
    static SANDBOX: LazyLock<Sandbox> =
        LazyLock::new(|| Sandbox::new(limits()).expect("the sandbox starts"));
    &SANDBOX
}

/// Compiled code by way of a cache, as there is no other.
pub fn trusted(component: &[u8]) -> Result<Trusted, Error> {
    static CACHE: OnceLock<(tempfile::TempDir, CodeCache)> = OnceLock::new();
    let (_, cache) = CACHE.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = CodeCache::open(dir.path()).expect("the cache opens");
        (dir, cache)
    });
    let code = compile(component, &limits())?;
    let digest: [u8; 32] = Sha256::digest(component).into();
    Ok(cache.put(&digest, &code).expect("the cache takes it"))
}

pub fn load(component: &[u8]) -> Result<Plugin, Error> {
    sandbox().load(&trusted(component)?)
}

/// An honest plugin in the same sandbox still does its work.
pub fn honest_plugin_works() {
    static HONEST: LazyLock<Plugin> =
        LazyLock::new(|| Parts::default().load().expect("an honest plugin loads"));
    assert_eq!(HONEST.circuit("{}").expect("it answers").value.k, 4);
}

/// Runs an attack, and the honest plugin after it.
#[track_caller]
pub fn refused<T>(call: impl FnOnce(&Plugin) -> Result<T, Failure>, parts: Parts<'_>) -> Failure {
    let plugin = parts.load().expect("the attack gets as far as a call");
    let failure = call(&plugin).err().expect("the attack is stopped");
    honest_plugin_works();
    failure
}

pub fn described(parts: Parts<'_>) -> Result<Description, Error> {
    let plugin = parts.load()?;
    Ok(plugin.describe()?.value)
}
