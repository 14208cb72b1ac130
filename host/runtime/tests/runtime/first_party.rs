//! The platform's own plugins, as `cargo xtask plugins` built them, against the same code run
//! natively: what the sandbox returns is, byte for byte, what the SDK records outside of it.

use std::{fs, path::PathBuf, sync::LazyLock};

use aureole_merkle::Merkle;
use aureole_preimage::Preimage;
use aureole_range::Range;
use aureole_runtime::{Limits, Plugin, Sandbox, ScanReport, scan};
use aureole_sdk::{Plugin as Author, native};

use crate::fixture;

/// Built before the tests by `cargo xtask test`; by hand with `cargo xtask plugins`.
fn component(name: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("target/plugins").join(format!("{name}.wasm"));
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo xtask plugins` first",
            path.display()
        )
    })
}

fn load(name: &str) -> Plugin {
    // Honest work is given honest time, however busy the machine.
    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Limits::default()).unwrap());
    SANDBOX
        .load(&fixture::trusted(&component(name)).unwrap())
        .unwrap()
}

const STALE: &str = "the component is not of this checkout: run `cargo xtask plugins`";

/// `odd` is what a record of this circuit warns of.
fn is_faithful<P: Author>(params: &str, input: &str, odd: &[&str]) {
    let plugin = load(P::NAME);

    let described = plugin.describe().unwrap().value;
    assert_eq!(described.name, P::NAME);
    assert_eq!(described.version, P::VERSION);
    assert_eq!(described.public_inputs.len(), P::PUBLIC_INPUTS.len());

    let circuit = plugin.circuit(params).unwrap();
    assert_eq!(
        circuit.value.digest(),
        native::circuit::<P>(params).unwrap().digest(),
        "{STALE}"
    );

    let annotations = plugin.annotate(params).unwrap().value;
    assert!(
        annotations == native::annotate::<P>(params).unwrap(),
        "{STALE}"
    );

    let expected = native::witness::<P>(params, input).unwrap();
    let witness = plugin.witness(params, input).unwrap();
    assert!(witness.value == expected, "{STALE}");
    let checked = circuit.value.check(&aureole_ir::Limits::default()).unwrap();
    checked.check_witness(&witness.value).unwrap();
    let lints = checked.lints();
    let items: Vec<&str> = lints.iter().map(|lint| lint.item.as_str()).collect();
    assert_eq!(items, odd, "{lints:?}");
}

#[test]
fn preimage_records_in_the_sandbox_what_it_records_natively() {
    let element = |digit: char| format!("0x{}", digit.to_string().repeat(64));
    let input = format!(r#"{{"message":["{}","{}"]}}"#, element('1'), element('2'));
    is_faithful::<Preimage>("{}", &input, &[]);
}

#[test]
fn range_records_in_the_sandbox_what_it_records_natively() {
    let blinding = format!("0x{}", "3".repeat(64));
    let input = format!(r#"{{"value":42,"lo":18,"hi":"120","blinding":"{blinding}"}}"#);
    // The gate is for bits that no lookup of whole words covers; 64 leave none.
    is_faithful::<Range>(r#"{"bits":64}"#, &input, &["gate 5 `top bit`"]);
}

#[test]
fn merkle_records_in_the_sandbox_what_it_records_natively() {
    let leaves: Vec<String> = (0..50)
        .map(|leaf: u8| format!("\"0x{}\"", format!("{leaf:02x}").repeat(32)))
        .collect();
    let input = format!(r#"{{"leaves":[{}],"leaf_index":17}}"#, leaves.join(","));
    is_faithful::<Merkle>(
        r#"{"depth":16,"public_leaf":true,"public_index":true}"#,
        &input,
        // An input made public on request.
        &["public input `index`"],
    );
}

#[test]
fn a_refused_input_names_its_place() {
    let failure = load("preimage")
        .witness("{}", r#"{"message":["0x1","0x2"]}"#)
        .unwrap_err();
    assert_eq!(failure.code(), "input.invalid");
    assert_eq!(failure.path(), Some("/message/0"));
}

#[test]
fn refused_parameters_are_told_from_a_refused_input() {
    let failure = load("merkle").circuit(r#"{"depth":0}"#).unwrap_err();
    assert_eq!(failure.code(), "params.invalid");
    let unknown = load("merkle").circuit(r#"{"depht":3}"#).unwrap_err();
    assert_eq!(unknown.code(), "params.invalid");
}

#[test]
fn our_own_plugins_stay_well_below_every_cap() {
    let limits = Limits::default();
    for name in ["merkle", "preimage", "range"] {
        let report = scan(&component(name), &limits).unwrap();
        let ScanReport {
            bytes,
            modules,
            functions,
            largest_body,
            most_locals,
            most_blocks,
            deepest_block,
            local_blocks,
            component_items,
            component_type_bytes,
            module_items,
            types,
            ..
        } = report;
        let shares = [
            ("bytes", bytes, limits.component_bytes),
            ("modules", modules.into(), limits.modules.into()),
            ("functions", functions.into(), limits.functions.into()),
            ("largest body", largest_body, limits.body_bytes),
            ("locals", most_locals, limits.locals.into()),
            ("blocks", most_blocks, limits.blocks.into()),
            ("depth", deepest_block.into(), limits.block_depth.into()),
            ("locals times blocks", local_blocks, limits.local_blocks),
            (
                "component items",
                component_items,
                limits.component_items.into(),
            ),
            (
                "component types",
                component_type_bytes,
                limits.component_type_bytes,
            ),
            ("module items", module_items, limits.module_items.into()),
            ("types", types, limits.types.into()),
        ];
        for (item, value, limit) in shares {
            assert!(value * 2 <= limit, "{name}: {value} {item} of {limit}");
        }
    }
}
