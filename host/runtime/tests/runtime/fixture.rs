//! Plugins in WebAssembly text: an honest one, and a way to put a wrong part into it.
//!
//! The core module is written by hand and made a component by `wit-component` from the real
//! contract in `wit/`, so every byte that crosses the border is the test's choice.

use std::{
    fs,
    path::Path,
    sync::{LazyLock, OnceLock},
    time::Duration,
};

use aureole_runtime::{
    CodeCache, Description, Error, Failure, Limits, Plugin, Sandbox, Trusted, compile,
};
use sha2::{Digest as _, Sha256};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// The parts of a plugin's core module that a test may replace.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// Imports.
    pub imports: &'a str,
    /// Globals, tables, functions, a start section.
    pub extra: &'a str,
    /// The memory's declaration.
    pub memory: &'a str,
    /// Bodies; each leaves a pointer.
    pub describe: &'a str,
    pub circuit: &'a str,
    pub annotate: &'a str,
    pub witness: &'a str,
    /// Body of `cabi_realloc`.
    pub realloc: &'a str,
    /// Data segments from 4096 on.
    pub data: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            imports: "",
            extra: "",
            memory: "(memory (export \"memory\") 2)",
            describe: "i32.const 1024",
            circuit: "i32.const 1536",
            annotate: "i32.const 1792",
            witness: "i32.const 1920",
            realloc: "i32.const 65536",
            data: "",
        }
    }
}

/// The import of the log, for [`Parts::imports`].
pub const LOG: &str = r#"(import "aureole:circuit/log@0.1.0" "write"
    (func $log (param i32 i32 i32)))"#;

impl Parts<'_> {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        component(&self.text())
    }

    /// The component as if it was built from another release of the contract.
    pub fn build_for(&self, release: &str) -> Vec<u8> {
        let text = self.text().replace("@0.1.0", &format!("@{release}"));
        let contract = contract_text().replace("@0.1.0", &format!("@{release}"));
        encode(&text, &world(&contract))
    }

    fn text(&self) -> String {
        let Self {
            imports,
            extra,
            memory,
            describe,
            circuit,
            annotate,
            witness,
            realloc,
            data,
        } = self;
        format!(
            r#"(module
              {imports}
              {memory}
              {extra}
              (func (export "aureole:circuit/plugin@0.1.0#describe") (result i32) {describe})
              (func (export "aureole:circuit/plugin@0.1.0#circuit")
                (param i32 i32) (result i32) {circuit})
              (func (export "aureole:circuit/plugin@0.1.0#annotate")
                (param i32 i32) (result i32) {annotate})
              (func (export "aureole:circuit/plugin@0.1.0#witness")
                (param i32 i32 i32 i32) (result i32) {witness})
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
              ;; The description at 1024, its strings at 512.
              (data (i32.const 512) "tiny" "0.1.0" "Small." "{{}}")
              (data (i32.const 1024)
                "\00\02\00\00\04\00\00\00" "\04\02\00\00\05\00\00\00" "\09\02\00\00\06\00\00\00"
                "\00\00\00\00" "\0f\02\00\00\02\00\00\00" "\0f\02\00\00\02\00\00\00"
                "\01\00\00\00\0f\02\00\00\02\00\00\00" "\00\00\00\00\00\00\00\00")
              ;; A circuit with k = 4 at 1536: all lists empty but fixed-cells, of one cell.
              (data (i32.const 1540) "\04\00\00\00" "\01\00\00\00" "\02\00\00\00")
              (data (i32.const 1644) "\00\08\00\00\28\00\00\00")
              (data (i32.const 2048) "\00\00\00\00" "\03\00\00\00" "\2a")
              ;; A witness at 1920 with two advice columns of one row and no row.
              (data (i32.const 1924) "\00\09\00\00\02\00\00\00" "\08\09\00\00\20\00\00\00")
              (data (i32.const 2304) "\01\00\00\00" "\00\00\00\00" "\07")
              {data})"#
        )
    }

    /// The component, compiled and loaded.
    pub fn load(&self) -> Result<Plugin, Error> {
        load(&self.build())
    }
}

/// A component of a core module in text that follows the contract's calling convention.
pub fn component(module: &str) -> Vec<u8> {
    static WIT: LazyLock<(Resolve, WorldId)> = LazyLock::new(|| world(&contract_text()));
    encode(module, &WIT)
}

fn contract_text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/circuit.wit");
    fs::read_to_string(path).expect("the contract is there")
}

fn world(contract: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("circuit.wit", contract)
        .expect("the contract parses");
    let world = resolve
        .select_world(&[package], Some("circuit-plugin"))
        .expect("it has the world");
    (resolve, world)
}

fn encode(module: &str, wit: &(Resolve, WorldId)) -> Vec<u8> {
    let mut module = wat::parse_str(module).expect("the module parses");
    embed_component_metadata(&mut module, &wit.0, wit.1, StringEncoding::UTF8)
        .expect("the world can be embedded");
    ComponentEncoder::default()
        .validate(false)
        .module(&module)
        .expect("the module implements the world")
        .encode()
        .expect("the module becomes a component")
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
