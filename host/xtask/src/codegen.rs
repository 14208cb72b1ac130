//! Turns `proto/` into the Rust code under `host/api/src/generated/`.
//!
//! The generated files are committed: no build script calls a compiler, and a reviewer sees what a
//! change of the wire means. The drift test below fails when the two differ. Parsing is done by
//! `protox`, in Rust: no `protoc` is needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tonic_prost_build::Builder;

/// Where the protobuf sources are, from the workspace root.
const PROTO: &str = "proto";

/// Where the generated code goes, from the workspace root. Nothing else may live there.
const GENERATED: &str = "host/api/src/generated";

/// Says where a generated file comes from.
const HEADER: &str =
    "//! Generated from `proto/` by `cargo xtask codegen`: change the proto, not this file.\n\n";

/// The descriptors of the public API, which a node answers by reflection.
const DESCRIPTORS: &str = "aureole.v1.bin";

/// The folder of the public API's sources, from the root of the sources.
const PUBLIC: &str = "aureole/v1";

/// Messages that carry a secret. Their `Debug` is written by hand, in `host/api/src/internal.rs`
/// and `host/api/src/public.rs`.
const SECRET_MESSAGES: [&str; 9] = [
    ".aureole.internal.v1.GetKeyReply",
    ".aureole.internal.v1.Prove",
    ".aureole.internal.v1.PutKeyRequest",
    ".aureole.internal.v1.SignRequest",
    ".aureole.internal.v1.VerbCall",
    ".aureole.v1.CheckInputReply",
    ".aureole.v1.CheckInputRequest",
    ".aureole.v1.SubmitTaskRequest",
    ".aureole.v1.SubmitTasksRequest",
];

/// Fields of many bytes, which are passed on without a copy.
const SHARED_BYTES: [&str; 2] = [
    ".aureole.internal.v1.BlobChunk.bytes",
    ".aureole.internal.v1.PutBlobRequest.bytes",
];

/// Generates the wire code. With `check` nothing is written, and a difference is an error that names
/// the files.
pub(crate) fn run(workspace: &Path, check: bool) -> anyhow::Result<()> {
    let generated = generate(workspace)?;
    let folder = workspace.join(GENERATED);
    let committed = read_folder(&folder)?;
    if check {
        return compare(&generated, &committed);
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    for (name, text) in &generated {
        if committed.get(name) != Some(text) {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    for name in committed
        .keys()
        .filter(|name| !generated.contains_key(*name))
    {
        let path = folder.join(name);
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// Returns each generated file by its name.
fn generate(workspace: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let root = workspace.join(PROTO);
    let mut sources = Vec::new();
    find_protos(&root, &mut sources)?;
    sources.sort();
    if sources.is_empty() {
        bail!("no .proto file under {}", root.display());
    }
    let descriptors = protox::compile(&sources, [&root]).context("compiling proto/")?;
    let out = tempfile::tempdir().context("making a temporary folder")?;
    let config = tonic_prost_build::configure();
    let config = SHARED_BYTES.into_iter().fold(config, Builder::bytes);
    config
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .skip_debug(SECRET_MESSAGES)
        .compile_fds(descriptors)
        .context("generating the wire code")?;
    let mut files = read_folder(out.path())?;
    for text in files.values_mut() {
        text.splice(0..0, HEADER.bytes());
    }
    let public: Vec<&PathBuf> = sources
        .iter()
        .filter(|source| source.starts_with(root.join(PUBLIC)))
        .collect();
    if !public.is_empty() {
        let descriptors = protox::Compiler::new([&root])
            .and_then(|mut compiler| {
                let compiler = compiler.include_imports(true);
                compiler.open_files(public)?;
                Ok(compiler.encode_file_descriptor_set())
            })
            .context("describing the public API")?;
        files.insert(DESCRIPTORS.to_owned(), descriptors);
    }
    Ok(files)
}

/// Collects the `.proto` files under a folder.
fn find_protos(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            found.push(path);
        }
    }
    Ok(())
}

/// Reads every file of a folder; a folder that is not there is empty.
fn read_folder(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            bail!("{} is no UTF-8 file name", path.display());
        };
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        files.insert(name.to_owned(), text);
    }
    Ok(files)
}

/// Fails with the names of the files that differ.
fn compare(
    generated: &BTreeMap<String, Vec<u8>>,
    committed: &BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<()> {
    let mut stale: Vec<&str> = Vec::new();
    for name in generated.keys().chain(committed.keys()) {
        if generated.get(name) != committed.get(name) && !stale.contains(&name.as_str()) {
            stale.push(name);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "{GENERATED} differs from proto/ in {}: run `cargo xtask codegen`",
        stale.join(", ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn workspace() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap()
            .to_owned()
    }

    #[test]
    fn generated_code_is_what_the_protos_say() {
        run(&workspace(), true).unwrap();
    }

    #[test]
    fn a_stale_file_is_named() {
        let generated = BTreeMap::from([("a.rs".to_owned(), b"new".to_vec())]);
        let committed = BTreeMap::from([
            ("a.rs".to_owned(), b"old".to_vec()),
            ("gone.rs".to_owned(), Vec::new()),
        ]);
        let error = compare(&generated, &committed).unwrap_err().to_string();
        assert!(error.contains("a.rs, gone.rs"), "{error}");
    }

    #[test]
    fn writing_then_checking_agrees_and_removes_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let proto = folder.path().join("proto/aureole");
        fs::create_dir_all(&proto).unwrap();
        fs::write(
            proto.join("x.proto"),
            "syntax = \"proto3\"; package x.v1; message M {}",
        )
        .unwrap();
        let out = folder.path().join(GENERATED);
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("stranger.rs"), "").unwrap();
        assert!(run(folder.path(), true).is_err());
        run(folder.path(), false).unwrap();
        run(folder.path(), true).unwrap();
        assert!(!out.join("stranger.rs").exists());
        assert!(out.join("x.v1.rs").exists());
    }
}
