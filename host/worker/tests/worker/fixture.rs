//! A folder, a depot, children, and things to give them.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use aureole_preimage::Preimage;
use aureole_store::{Depot, Digest, Secret};
use aureole_worker::{ChildCommand, Provers, ProversConfig, Sandboxes, SandboxesConfig};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A node's folders and the processes of one test.
pub struct Fixture {
    pub depot: Depot,
    /// Tells this test's children apart in the process list.
    pub tag: String,
    dir: TempDir,
}

impl Fixture {
    pub fn new(tag: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let depot = Depot::open(&dir.path().join("depot")).unwrap();
        Self {
            depot,
            tag: format!("--{tag}-{}", std::process::id()),
            dir,
        }
    }

    pub fn command(&self) -> ChildCommand {
        ChildCommand {
            program: env!("CARGO_BIN_EXE_aureole-child").into(),
            args: vec![self.tag.clone()],
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn provers_config(&self) -> ProversConfig {
        // Parameters are the same for all tests: made once, by whoever comes first.
        ProversConfig::new(self.command(), params_dir(), 2)
    }

    pub fn provers(&self) -> Provers {
        Provers::new(self.provers_config(), self.depot.clone().into())
    }

    pub fn sandboxes_config(&self) -> SandboxesConfig {
        let mut config = SandboxesConfig::new(self.command(), self.path().join("code"));
        config.limits.call_time = Duration::from_millis(500);
        config
    }

    pub fn sandboxes(&self) -> Sandboxes {
        Sandboxes::new(self.sandboxes_config(), self.depot.clone().into()).unwrap()
    }

    /// A blob by its digest's bytes.
    pub async fn blob(&self, digest: &[u8]) -> Vec<u8> {
        let digest = Digest::from_slice(digest).unwrap();
        self.depot.get(&digest, 1 << 20).await.unwrap().to_vec()
    }

    /// Ids of this test's children of a kind that run now.
    pub fn children(&self, kind: &str) -> Vec<i32> {
        let list = Command::new("ps")
            .args(["-axo", "pid=,stat=,args="])
            .output()
            .unwrap();
        String::from_utf8_lossy(&list.stdout)
            .lines()
            .filter(|line| line.contains(&self.tag) && line.trim_end().ends_with(kind))
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let pid = words.next()?.parse().ok()?;
                // A zombie has ended; it waits to be reaped.
                (!words.next()?.starts_with('Z')).then_some(pid)
            })
            .collect()
    }

    /// Waits until none of this test's children of these ids runs.
    pub async fn gone(&self, kind: &str, ids: &[i32]) {
        eventually(|| self.children(kind).iter().all(|id| !ids.contains(id))).await;
    }
}

/// Parameters that this test run's processes share.
pub fn params_dir() -> std::path::PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("params")
}

/// Looks until something is so, for at most ten seconds.
pub async fn eventually(mut is_so: impl FnMut() -> bool) {
    let mut wait = Duration::from_millis(1);
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(wait).await;
        wait = Duration::from_millis(20);
    }
    panic!("it did not become so");
}

pub const INPUT: &str = r#"{"message":[
    "0x0000000000000000000000000000000000000000000000000000000000000001",
    "0x0000000000000000000000000000000000000000000000000000000000000002"]}"#;

/// A real circuit, recorded natively.
pub fn circuit() -> Vec<u8> {
    aureole_sdk::native::circuit::<Preimage>("{}")
        .unwrap()
        .encode()
}

pub fn witness() -> aureole_sdk::ir::Witness {
    aureole_sdk::native::witness::<Preimage>("{}", INPUT).unwrap()
}

pub fn secret_witness() -> Secret {
    Secret::new(witness().encode())
}

pub fn annotations() -> Vec<u8> {
    aureole_sdk::native::annotate::<Preimage>("{}")
        .unwrap()
        .encode()
}

/// A plugin in WebAssembly text with a circuit of k = 4 and no public input. Its witness function
/// loops for ever if the input's first letter is `s`, and panics if it is `p`.
pub fn component() -> Vec<u8> {
    let by_input = "(if (i32.eq (i32.load8_u (local.get 2)) (i32.const 115))
          (then (loop $l (br $l))))
        (if (i32.eq (i32.load8_u (local.get 2)) (i32.const 112)) (then unreachable))
        i32.const 1920";
    component_with("", "i32.const 1024", by_input)
}

/// The plugin above with other functions, or a start section in `extra`.
pub fn component_with(extra: &str, describe: &str, witness: &str) -> Vec<u8> {
    // The strings of the description, the description, a circuit, its one fixed cell, a witness
    // of two columns with one row and none, and that row, laid out by the calling convention.
    let module = format!(
        r#"(module
          (memory (export "memory") 2)
          {extra}
          (func (export "aureole:circuit/plugin@0.1.0#describe") (result i32) {describe})
          (func (export "aureole:circuit/plugin@0.1.0#circuit") (param i32 i32) (result i32)
            i32.const 1536)
          (func (export "aureole:circuit/plugin@0.1.0#annotate") (param i32 i32) (result i32)
            i32.const 1792)
          (func (export "aureole:circuit/plugin@0.1.0#witness")
            (param i32 i32 i32 i32) (result i32) {witness})
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 65536)
          (data (i32.const 512) "tiny" "0.1.0" "Small." "{{}}")
          (data (i32.const 1024)
            "\00\02\00\00\04\00\00\00" "\04\02\00\00\05\00\00\00" "\09\02\00\00\06\00\00\00"
            "\00\00\00\00" "\0f\02\00\00\02\00\00\00" "\0f\02\00\00\02\00\00\00"
            "\01\00\00\00\0f\02\00\00\02\00\00\00" "\00\00\00\00\00\00\00\00")
          (data (i32.const 1540) "\04\00\00\00" "\01\00\00\00" "\02\00\00\00")
          (data (i32.const 1644) "\00\08\00\00\28\00\00\00")
          (data (i32.const 2048) "\00\00\00\00" "\03\00\00\00" "\2a")
          (data (i32.const 1924) "\00\09\00\00\02\00\00\00" "\08\09\00\00\20\00\00\00")
          (data (i32.const 2304) "\01\00\00\00" "\00\00\00\00" "\07"))"#
    );
    encode(&module)
}

fn encode(module: &str) -> Vec<u8> {
    static WIT: LazyLock<(Resolve, wit_parser::WorldId)> = LazyLock::new(|| {
        let mut resolve = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let (package, _) = resolve.push_path(folder).unwrap();
        let world = resolve
            .select_world(&[package], Some("circuit-plugin"))
            .unwrap();
        (resolve, world)
    });
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &WIT.0, WIT.1, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .validate(false)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// Puts the plugin above into the depot.
pub async fn upload(depot: &Depot) -> Digest {
    depot.put(component()).await.unwrap()
}
