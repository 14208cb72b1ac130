//! `prove N`: one proof with warm keys, the platform's prover beside stock `create_proof`.
//!
//! Three ways by turns, all with all threads: the platform's prover on the recorded circuit; stock
//! `create_proof` in this process, which has the same field arithmetic in assembly; and stock as
//! `halo2_proofs` is built where nobody asks for assembly, in a process of its own (the example `stock`
//! of the prover, whose path `AUREOLE_STOCK` gives). Beside them stands a physical limit: the
//! multiplications that the protocol's multiexponentiations, transforms and opening take with the best
//! algorithms known to us, at this machine's measured time for one.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use aureole_ir::{Limits, Shape};
use aureole_merkle::Merkle;
use aureole_prover::{Halo2Ipa, ParamsDir, check};
use aureole_tests::{Native, merkle_input, params_dir};
use pasta_curves::Fq;
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// Levels of the small tree (k = 10), and of one whose proof takes a second or so on two cores.
const DEPTHS: [u32; 2] = [8, 32];

/// Proving keys that the backend may keep.
const KEY_CACHE_BYTES: u64 = 1 << 30;

/// Rounds that are not counted.
const WARM_UP: u32 = 1;

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    tokio::task::spawn_blocking(move || measure(rounds)).await?
}

fn measure(rounds: u32) -> anyhow::Result<Value> {
    let multiplication = multiplication_ns();
    println!("a multiplication takes {multiplication:.1} ns");
    let mut sizes = Vec::new();
    for depth in DEPTHS {
        sizes.push(size(depth, rounds, multiplication)?);
    }
    let large = sizes.last().context("sizes are measured")?;
    Ok(json!({
        "bench": "prove",
        "rounds": rounds,
        "multiplication_ns": rounded(multiplication),
        "ratio": large["ratio"],
        "over_assembly": large["over_assembly"],
        "over_limit": large["over_limit"],
        "sizes": sizes,
    }))
}

fn size(depth: u32, rounds: u32, multiplication: f64) -> anyhow::Result<Value> {
    let circuit_params = json!({"depth": depth});
    let circuit = Native::<Merkle>::recorded(&circuit_params)?.check(&Limits::default())?;
    let k = circuit.shape().k;
    let native = Native::<Merkle>::new(&circuit_params, k)?;
    let folder = params_dir()?;
    let backend = Halo2Ipa::new(ParamsDir::open(&folder)?, KEY_CACHE_BYTES);
    let input = merkle_input().to_string();
    let witness = aureole_sdk::native::witness::<Merkle>(&circuit_params.to_string(), &input)?;
    check(&circuit, &witness)?;
    backend.proving(&circuit)?;
    let mut portable = Portable::start(depth, &folder)?;
    let (mut ours, mut assembly, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + rounds {
        let (assigned, instance) = native.assign(&merkle_input())?;
        let begun = Instant::now();
        native.prove(assigned, &instance)?;
        let stock = begun.elapsed();
        let begun = Instant::now();
        let proof = backend.prove(&circuit, &witness)?;
        let own = begun.elapsed();
        ensure!(
            native.verifies(&instance, &proof.bytes),
            "stock halo2 refuses our proof"
        );
        let alone = portable.prove()?;
        if round >= WARM_UP {
            assembly.push(stock.as_secs_f64() * 1e3);
            ours.push(own.as_secs_f64() * 1e3);
            plain.push(alone);
        }
    }
    let (ours, assembly, plain) = (median(&ours)?, median(&assembly)?, median(&plain)?);
    let threads = std::thread::available_parallelism()?.get();
    let limit = multiplications(circuit.shape()) * multiplication / 1e6 / threads as f64;
    println!(
        "k = {k}: stock {plain:.1} ms, stock with assembly {assembly:.1} ms, platform {ours:.1} ms; \
         limit on {threads} threads {limit:.1} ms"
    );
    Ok(json!({
        "k": k,
        "stock_ms": rounded(plain),
        "stock_assembly_ms": rounded(assembly),
        "platform_ms": rounded(ours),
        "limit_ms": rounded(limit),
        "ratio": rounded(ours / plain),
        "over_assembly": rounded(ours / assembly),
        "over_limit": rounded(ours / limit),
    }))
}

/// Nanoseconds for one multiplication in the curve's base field, of several that do not wait for each
/// other, as in the formulas of a curve.
fn multiplication_ns() -> f64 {
    const CHAINS: usize = 4;
    const ROUNDS: u32 = 2_000_000;
    let mut chains: [Fq; CHAINS] = std::array::from_fn(|at| Fq::from(at as u64 + 2));
    let factor = Fq::from(0x9e37_79b9_7f4a_7c15);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        for chain in &mut chains {
            *chain *= factor;
        }
    }
    let took = begun.elapsed().as_secs_f64();
    black_box(chains);
    took * 1e9 / (f64::from(ROUNDS) * CHAINS as f64)
}

/// Multiplications that a proof takes at the least that we know of; the quotient's evaluation, the
/// products of permutations and lookups, and all additions are not counted.
fn multiplications(shape: &Shape) -> f64 {
    // An addition of affine points whose inversions are shared: 5 M + 1 S.
    const AFFINE: f64 = 6.0;
    // Additions of points with a z, which sum up the buckets.
    const JACOBIAN: f64 = 14.0;
    // 127 doublings of 7 and 51 additions of 11: one half-length ladder by the endomorphism.
    const LADDER: f64 = 127.0 * 7.0 + 51.0 * 11.0;
    let rows = f64::from(shape.k).exp2();
    let of = |count: u32| f64::from(count);
    let sets = of(shape
        .permutation_columns
        .div_ceil(shape.degree.saturating_sub(2).max(1)));
    let lookups = of(shape.lookups);
    let pieces = of(shape.degree) - 1.0;
    let columns = of(shape.advice_columns) + of(shape.instance_columns) + sets + 3.0 * lookups;
    // Columns, pieces of the quotient, the two blinding polynomials, the opening's quotient; then the
    // opening's left and right halves, which together are as long as two columns.
    let commitments = columns + pieces + 3.0 + 2.0;
    let best = (2_u32..20).map(|bits| {
        let (windows, buckets) = ((255.0 / of(bits)).ceil(), f64::from(bits - 1).exp2());
        windows * (rows * AFFINE + 2.0 * buckets * JACOBIAN)
    });
    let multiexponentiation = best.fold(f64::INFINITY, f64::min);
    let extended = rows * pieces.log2().ceil().exp2();
    let transform = |points: f64| points / 2.0 * points.log2();
    let transforms = columns * (transform(rows) + transform(extended)) + transform(extended);
    commitments * multiexponentiation + transforms + rows * LADDER
}

/// Stock halo2 in a process of its own.
struct Portable {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Portable {
    fn start(depth: u32, params: &Path) -> anyhow::Result<Self> {
        let program = std::env::var_os("AUREOLE_STOCK")
            .context("AUREOLE_STOCK names no program; `cargo xtask bench prove` builds one")?;
        let mut child = Command::new(program)
            .arg(depth.to_string())
            .arg(params)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("its input is not a pipe")?;
        let output = child.stdout.take().context("its output is not a pipe")?;
        let mut portable = Self {
            child,
            input,
            output: BufReader::new(output),
        };
        let backend = portable.line()?;
        ensure!(backend == "portable", "stock halo2 runs on {backend}");
        Ok(portable)
    }

    /// One proof's time in milliseconds.
    fn prove(&mut self) -> anyhow::Result<f64> {
        self.input.write_all(b"\n")?;
        self.line()?.parse().context("it prints milliseconds")
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line)?;
        ensure!(read > 0, "stock halo2 ended");
        Ok(line.trim().to_owned())
    }
}

impl Drop for Portable {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
