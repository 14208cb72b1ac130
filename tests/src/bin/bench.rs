//! `bench NAME N [quick]`: the platform beside stock halo2, in one run.
//!
//! Each measurement makes the same proofs with the author's own circuit and stock `halo2_proofs` in
//! this process, turn by turn with the platform's, so that a noisy machine is noisy to both. The
//! last line is one JSON object whose `ratio` is the main figure; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

#[path = "bench/batch_verify.rs"]
mod batch_verify;
#[path = "bench/cold_start.rs"]
mod cold_start;
#[path = "bench/figures.rs"]
mod figures;
#[path = "bench/memory.rs"]
mod memory;
#[path = "bench/overhead.rs"]
mod overhead;
#[path = "bench/prove.rs"]
mod prove;
#[path = "bench/throughput.rs"]
mod throughput;
#[path = "bench/transfer.rs"]
mod transfer;

use anyhow::{Context as _, bail, ensure};

/// What `aureole` runs with: stock halo2 has the same allocator beside it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().context("name a measurement")?;
    if name == memory::ALONE {
        return memory::alone(arguments);
    }
    let count: u32 = arguments
        .next()
        .context("give how many times to measure")?
        .parse()
        .context("give how many times to measure, such as 10")?;
    ensure!(count > 0, "measure at least once");
    let quick = arguments.next().is_some_and(|argument| argument == "quick");
    let line = match name.as_str() {
        "batch-verify" => batch_verify::run(count).await?,
        "cold-start" => cold_start::run(count).await?,
        "memory" => memory::run(count, quick).await?,
        "overhead" => overhead::run(count).await?,
        "prove" => prove::run(count).await?,
        "throughput" => throughput::run(count).await?,
        "transfer" => transfer::run(count).await?,
        other => bail!("there is no measurement `{other}`"),
    };
    println!("{line}");
    Ok(())
}
