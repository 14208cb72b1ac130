//! The plugin in C, `plugins/cubic-c`: the same circuit in Rust, and what becomes of the module.
//!
//! `faithful` holds the two against each other, key and proofs; here stand its arithmetic, its
//! refusals, and that the committed module is what its source gives.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use aureole_client::rest::CheckRequest;
use aureole_sdk::{Plugin, Problem, PublicInput};
use aureole_tests::{Node, Random, cli};
use ff::{Field as _, PrimeField as _};
use halo2_proofs::{
    circuit::{AssignedCell, Layouter, SimpleFloorPlanner, Value as Known},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Fixed, Instance, Selector,
    },
    poly::Rotation,
};
use pasta_curves::Fp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// x^3 + x + constant = y, as an author writes it with stock halo2.
#[derive(Clone, Debug, Default)]
pub(crate) struct CubicCircuit {
    x: Known<Fp>,
    constant: Fp,
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    advice: [Column<Advice>; 3],
    constant: Column<Fixed>,
    y: Column<Instance>,
    multiply: Selector,
    add: Selector,
}

impl Circuit<Fp> for CubicCircuit {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self {
            x: Known::unknown(),
            constant: self.constant,
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let config = Config {
            advice: [(); 3].map(|()| meta.advice_column()),
            constant: meta.fixed_column(),
            y: meta.instance_column(),
            multiply: meta.selector(),
            add: meta.selector(),
        };
        for column in config.advice {
            meta.enable_equality(column);
        }
        meta.enable_equality(config.y);
        meta.create_gate("multiply", |meta| {
            let on = meta.query_selector(config.multiply);
            let [a, b, c] = config
                .advice
                .map(|column| meta.query_advice(column, Rotation::cur()));
            Constraints::with_selector(on, [("c = a b", a * b - c)])
        });
        meta.create_gate("add", |meta| {
            let on = meta.query_selector(config.add);
            let [a, b, c] = config
                .advice
                .map(|column| meta.query_advice(column, Rotation::cur()));
            let f = meta.query_fixed(config.constant);
            Constraints::with_selector(on, [("c = a + b + f", a + b + f - c)])
        });
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        let [a, b, c] = config.advice;
        let (x, square) = layouter.assign_region(
            || "square",
            |mut region| {
                config.multiply.enable(&mut region, 0)?;
                let x = region.assign_advice(|| "x", a, 0, || self.x)?;
                x.copy_advice(|| "x", &mut region, b, 0)?;
                let square = region.assign_advice(|| "x^2", c, 0, || self.x * self.x)?;
                Ok((x, square))
            },
        )?;
        let times_x = |left: &AssignedCell<Fp, Fp>,
                       region: &mut halo2_proofs::circuit::Region<'_, Fp>| {
            let left = left.copy_advice(|| "left", region, a, 0)?;
            let right = x.copy_advice(|| "x", region, b, 0)?;
            Ok::<_, Error>((left.value().copied(), right.value().copied()))
        };
        let cube = layouter.assign_region(
            || "cube",
            |mut region| {
                config.multiply.enable(&mut region, 0)?;
                let (square, x) = times_x(&square, &mut region)?;
                region.assign_advice(|| "x^3", c, 0, || square * x)
            },
        )?;
        let y = layouter.assign_region(
            || "sum",
            |mut region| {
                config.add.enable(&mut region, 0)?;
                let (cube, x) = times_x(&cube, &mut region)?;
                region.assign_fixed(
                    || "constant",
                    config.constant,
                    0,
                    || Known::known(self.constant),
                )?;
                let constant = Known::known(self.constant);
                region.assign_advice(|| "y", c, 0, || cube + x + constant)
            },
        )?;
        layouter.constrain_instance(y.cell(), config.y, 0)
    }
}

/// The plugin in Rust that the one in C is held against.
#[derive(Debug)]
pub(crate) struct Cubic;

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Params {
    #[serde(default = "five")]
    constant: u64,
}

fn five() -> u64 {
    5
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Input {
    /// Only what `FieldElement::to_hex` writes.
    x: String,
}

impl Plugin for Cubic {
    const NAME: &'static str = "cubic-c";
    const VERSION: &'static str = "0.1.0";
    const SUMMARY: &'static str = "The circuit of plugins/cubic-c in Rust.";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] = &[("y", "x^3 + x + constant")];

    type Params = Params;
    type Input = Input;
    type Circuit = CubicCircuit;

    fn public_inputs(_: &Params) -> Vec<PublicInput> {
        vec![PublicInput::new("y", 0, 1)]
    }

    fn shape(params: &Params) -> CubicCircuit {
        CubicCircuit {
            x: Known::unknown(),
            constant: Fp::from(params.constant),
        }
    }

    fn assign(params: &Params, input: Input) -> Result<(CubicCircuit, Vec<Fp>), Problem> {
        let x: Fp = aureole_ir::FieldElement::from_hex(&input.x)
            .and_then(|element| Option::from(Fp::from_repr(element.0)))
            .ok_or_else(|| Problem::new("/x", "must be a canonical element"))?;
        let constant = Fp::from(params.constant);
        let circuit = CubicCircuit {
            x: Known::known(x),
            constant,
        };
        Ok((circuit, vec![x.cube() + x + constant]))
    }
}

fn hex(x: Fp) -> String {
    aureole_ir::FieldElement(x.to_repr()).to_hex()
}

pub(crate) fn input() -> Value {
    json!({"x": hex(-Fp::from(3))})
}

/// The folder of the plugin.
fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/cubic-c")
}

#[tokio::test]
async fn arithmetic_in_c_satisfies_the_circuit_at_every_edge_of_the_field() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let client = node.client()?;
    let mut random = Random::seeded()?;
    let mut values = vec![Fp::from(0), Fp::from(1), -Fp::from(1), -Fp::from(2)];
    values.extend([64, 128, 192, 253].map(|bits| Fp::from(2).pow([bits]) - Fp::from(1)));
    values.extend((0..24).map(|_| Fp::from(random.number()).pow([9])));
    for constant in [0, 5, (1_u64 << 53) - 1] {
        let circuit = node
            .circuit("cubic-c", json!({"constant": constant}))
            .await?;
        for x in &values {
            let input = json!({"x": hex(*x)});
            let request = CheckRequest {
                input: input.clone(),
                reveal: false,
            };
            let checked = client.check(&circuit.id, &request).await?;
            assert!(checked.satisfied, "{constant}, {input}: {checked:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_integer_proves_as_well_as_a_field_element() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let task = node
        .client()?
        .submit_to("cubic-c", &json!({"x": 3}))
        .await?;
    let task = node.done(&task.id).await?;
    let shown = task.public_inputs.unwrap_or_default();
    let y = shown.get("y").map(|y| y.texts().to_vec());
    assert_eq!(y, Some(vec![hex(Fp::from(35))]));
    Ok(())
}

#[tokio::test]
async fn a_bad_input_is_refused_with_its_place_by_the_schema_and_by_c() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let modulus = format!("{:0>66}", Fp::MODULUS);
    for (input, code, path) in [
        (json!({"x": -1}), "input.schema", "/x"),
        (json!({"x": "0x12"}), "input.schema", "/x"),
        (json!({}), "input.schema", ""),
        (json!({"x": modulus}), "input.invalid", "/x"),
        (
            json!({"x": format!("0x{}", "f".repeat(64))}),
            "input.invalid",
            "/x",
        ),
    ] {
        let error = node.client()?.submit_to("cubic-c", &input).await.err();
        let problem = error.as_ref().and_then(aureole_client::Error::problem);
        let problem = problem.with_context(|| format!("{input} is taken"))?;
        assert_eq!(
            (problem.code(), problem.path()),
            (code, Some(path)),
            "{problem:?}"
        );
    }
    let refused = node.circuit("cubic-c", json!({"constant": 1.5})).await;
    let refused = refused.err().context("half a constant is taken")?;
    assert!(refused.to_string().starts_with("params."), "{refused}");
    Ok(())
}

#[test]
fn the_committed_module_is_of_the_sources_beside_it() -> anyhow::Result<()> {
    let origin = fs::read_to_string(source().join("cubic.wasm.origin"))?;
    let listed: BTreeMap<&str, &str> = origin
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, file)| (file, digest))
        .collect();
    let mut files = 0;
    for entry in fs::read_dir(source())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if [".c", ".h", ".sh"]
            .iter()
            .any(|ending| name.ends_with(ending))
        {
            files += 1;
            let digest = hex::encode(Sha256::digest(fs::read(&path)?));
            assert_eq!(
                listed.get(&*name),
                Some(&&*digest),
                "{name} is not what cubic.wasm was made of: run `sh build.sh cubic.wasm`"
            );
        }
    }
    assert_eq!(
        listed.len(),
        files,
        "cubic.wasm.origin lists files that are gone"
    );
    Ok(())
}

/// Where a C compiler for wasm32 is: the same compiler makes the same bytes, and any other's
/// module proves just as well. Elsewhere it says so; the committed module was tested above.
#[test]
fn a_module_compiled_here_is_the_committed_one_or_proves_the_same() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let module = folder.path().join("rebuilt.wasm");
    let built = Command::new("sh")
        .arg(source().join("build.sh"))
        .arg(&module)
        .output()?;
    if built.status.code() == Some(3) {
        eprintln!("NOT REBUILT: {}", String::from_utf8_lossy(&built.stderr));
        return Ok(());
    }
    anyhow::ensure!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let compiler = |origin: String| origin.lines().next().unwrap_or_default().to_owned();
    let here = compiler(fs::read_to_string(
        folder.path().join("rebuilt.wasm.origin"),
    )?);
    let committed = compiler(fs::read_to_string(source().join("cubic.wasm.origin"))?);
    if here == committed {
        let same = fs::read(&module)? == fs::read(source().join("cubic.wasm"))?;
        assert!(same, "{here} makes other bytes of the same sources");
    }
    let run = |line: &str| cli::aureole(None, folder.path(), line.split(' '))?.text();
    fs::write(folder.path().join("input.json"), input().to_string())?;
    run("plugin encode rebuilt.wasm -o plugin.wasm")?;
    run("plugin check plugin.wasm")?;
    run("prove --local plugin.wasm --input input.json -o proof")?;
    assert!(run("verify proof")?.starts_with("valid\n"));
    Ok(())
}

#[test]
fn what_is_no_module_or_not_a_plugins_is_not_encoded() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("text.wasm"), "(module)")?;
    fs::write(folder.path().join("empty.wasm"), b"\0asm\x01\0\0\0")?;
    for (file, words) in [
        ("text.wasm", "no core WebAssembly module"),
        ("empty.wasm", "wit/circuit.wit"),
        ("none.wasm", "could not read"),
    ] {
        let line = ["plugin", "encode", file, "-o", "out.wasm"];
        let ran = cli::aureole(None, folder.path(), line)?;
        assert_eq!(ran.code, Some(1), "{file}");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    Ok(())
}
