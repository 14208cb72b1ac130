//! `witness N`: what the sandbox adds to building a witness.
//!
//! In one run, turn by turn, N witnesses of `merkle` at depth 32, which is all Poseidon, are built
//! by the author's code in this process and by its component in the sandbox, each from the JSON
//! input to the bytes that a prover takes. Then one proof tells what share of the whole that is.
//! Beside them the least call there is, `describe`: an instance from the pool, which is timed by itself, a
//! call, its end. And what handing over a large witness takes, over copying its bytes once: two plugins of a
//! few instructions fill the same memory, and one of them gives it away.
//!
//! The last line is one JSON object; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_conformance::{backend, loaded, plugin};
use aureole_handmade::Parts;
use aureole_ir::{Limits, Witness};
use aureole_merkle::Merkle;
use aureole_runtime::Plugin;
use aureole_sdk::native;
use serde_json::json;

/// The circuit: as deep as it goes.
const PARAMS: &str = r#"{"depth":32}"#;

/// Bytes of a large witness: of a circuit with k = 14 and 64 columns.
const LARGE_BYTES: usize = 32 << 20;

/// Rounds before the measured ones.
const WARM_UP: u32 = 3;

/// The ratio that is promised.
const RATIO_MAX: f64 = 1.3;

fn main() -> anyhow::Result<()> {
    let rounds: u32 = match std::env::args().nth(1) {
        Some(text) => text
            .parse()
            .context("give the number of witnesses, such as 50")?,
        None => 50,
    };
    ensure!(rounds > 0, "give at least one witness to build");
    let sandboxed = plugin("merkle")?;
    let leaf = |digit: char| format!("0x{}", digit.to_string().repeat(64));
    let input = json!({"leaves": [leaf('1'), leaf('2')], "leaf_index": 1}).to_string();
    let (mut here, mut there, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut least, mut instances) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for round in 0..WARM_UP + rounds {
        let start = Instant::now();
        let natively = native::witness::<Merkle>(PARAMS, &input)?;
        let native_took = start.elapsed();
        let start = Instant::now();
        let called = sandboxed.witness(PARAMS, &input)?.value;
        let sandbox_took = start.elapsed();
        ensure!(
            called == natively,
            "the sandbox made another witness: build the plugins anew"
        );
        let start = Instant::now();
        let instantiation = sandboxed.describe()?.instantiation;
        let least_took = start.elapsed();
        let start = Instant::now();
        let copied = std::hint::black_box(called.clone());
        let copy_took = start.elapsed();
        bytes = size(&copied);
        if round >= WARM_UP {
            here.push(native_took);
            there.push(sandbox_took);
            copies.push(copy_took);
            least.push(least_took);
            instances.push(instantiation);
        }
    }
    let handover = Handover::measure(rounds)?;
    let proving = Proving::measure(&sandboxed, &input)?;
    let times = [here, there, copies, instances, least].map(median);
    report(rounds, bytes, times, &handover, &proving);
    Ok(())
}

/// A large witness on its way from the plugin's memory to the host's, in milliseconds.
struct Handover {
    given: f64,
    copied: f64,
}

// === impl Handover ===

impl Handover {
    fn measure(rounds: u32) -> anyhow::Result<Self> {
        let fills = "(memory.fill (i32.const 131072) (i32.const 1) (i32.const 33554432)) i32.const 1920";
        let keeps = Parts {
            memory: "(memory (export \"memory\") 514)",
            witness: fills,
            ..Parts::default()
        };
        // Where its values stand and how many bytes they have: 32 MiB from the third page on.
        let gives = Parts {
            data: r#"(data (i32.const 1932) "\00\00\02\00\00\00\00\02")"#,
            ..keeps
        };
        let (keeps, gives) = (loaded(&keeps.build())?, loaded(&gives.build())?);
        let (mut kept, mut given, mut copied) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..WARM_UP + rounds {
            let start = Instant::now();
            keeps.witness("", "")?;
            let keeping = start.elapsed();
            let start = Instant::now();
            let witness = gives.witness("", "")?.value;
            let giving = start.elapsed();
            ensure!(
                witness.advice_values.len() == LARGE_BYTES,
                "the large witness has {} bytes",
                witness.advice_values.len()
            );
            let start = Instant::now();
            std::hint::black_box(witness.advice_values.clone());
            let copying = start.elapsed();
            if round >= WARM_UP {
                kept.push(keeping);
                given.push(giving);
                copied.push(copying);
            }
        }
        Ok(Self {
            given: median(given) - median(kept),
            copied: median(copied),
        })
    }
}

/// A proof of the same witness, keys warm.
struct Proving {
    prove: Duration,
    /// Bytes to field elements, fractions divided out.
    values: Duration,
}

// === impl Proving ===

impl Proving {
    fn measure(plugin: &Plugin, input: &str) -> anyhow::Result<Self> {
        let circuit = plugin.circuit(PARAMS)?.value.check(&Limits::default())?;
        let witness = plugin.witness(PARAMS, input)?.value;
        let prover = backend()?;
        prover.prove(&circuit, &witness)?;
        let timings = prover.prove(&circuit, &witness)?.timings;
        Ok(Self {
            prove: timings.prove,
            values: timings.values,
        })
    }
}

/// Bytes that the plugin hands over.
fn size(witness: &Witness) -> usize {
    let rows = witness.advice_rows.len() * 4 + witness.denominators.len() * 40;
    witness.advice_values.len() + witness.public_inputs.len() + rows
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().map_or(f64::NAN, millis)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn report(
    rounds: u32,
    bytes: usize,
    times: [f64; 5],
    handover: &Handover,
    proving: &Proving,
) {
    let [here, there, copy, instance, least] = times;
    let ratio = there / here;
    let (values, prove) = (millis(proving.values), millis(proving.prove));
    let whole = there + values + prove;
    let percent = 100.0 * there / whole;
    println!("A Merkle path of 32 levels, {rounds} witnesses each way, medians:");
    println!("  author's code, native          {here:9.3} ms");
    println!("  its component in the sandbox   {there:9.3} ms   {ratio:.2} times native");
    println!("  of it one copy of {bytes:8} bytes {copy:8.3} ms");
    println!("  an instance from the pool      {instance:9.3} ms");
    println!("  that, a call, its end          {least:9.3} ms");
    let (given, copied) = (handover.given, handover.copied);
    println!("  32 MiB out of the sandbox      {given:9.3} ms   a copy of them {copied:.3} ms");
    println!("  bytes to field elements        {values:9.3} ms");
    println!("  the proof                      {prove:9.3} ms");
    println!(
        "  the witness is {percent:.1}% of all that; at most {RATIO_MAX} times native is promised"
    );
    let line = json!({
        "bench": "witness",
        "ratio": round(ratio),
        "ratio_max": RATIO_MAX,
        "native_ms": round(here),
        "sandbox_ms": round(there),
        "bytes": bytes,
        "copy_ms": round(copy),
        "instantiation_ms": round(instance),
        "least_call_ms": round(least),
        "handover_ms": round(given),
        "handover_over_copy": round(given / copied),
        "values_ms": round(values),
        "prove_ms": round(prove),
        "share_of_whole": round(there / whole),
    });
    println!("{line}");
}

/// To three places.
fn round(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}
