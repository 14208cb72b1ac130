//! `cargo run --manifest-path host/decisions/log-engines/Cargo.toml [FOLDER]`: what an append and its
//! fsync cost with each engine that the log could stand on; the figures of `host/decisions/0009`.
//!
//! An append is one entry of 64 commands. The engines take turns, so that a noisy disk is noisy to all;
//! `fdatasync` is the floor: the same bytes at the end of a plain file.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use redb::{Database, Durability, TableDefinition};

/// Appends of each engine in a turn.
const APPENDS: u64 = 100;

/// Turns.
const TURNS: u64 = 5;

/// 64 commands of 150 bytes.
const ENTRY: [u8; 64 * 150] = [0x5a; 64 * 150];

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");

type Append = Box<dyn FnMut(u64) -> Result<(), Box<dyn Error>>>;

fn redb(path: &Path, two_phases: bool) -> Result<Append, Box<dyn Error>> {
    let database = Database::create(path)?;
    Ok(Box::new(move |index| {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_two_phase_commit(two_phases);
        transaction
            .open_table(ENTRIES)?
            .insert(index, ENTRY.as_slice())?;
        Ok(transaction.commit()?)
    }))
}

fn fjall(path: &Path) -> Result<Append, Box<dyn Error>> {
    let database = fjall::Database::builder(path).open()?;
    let entries = database.keyspace("entries", fjall::KeyspaceCreateOptions::default)?;
    Ok(Box::new(move |index| {
        entries.insert(index.to_be_bytes(), ENTRY)?;
        Ok(database.persist(fjall::PersistMode::SyncData)?)
    }))
}

/// As `host/coordinator/src/log/journal.rs` does it: space made beforehand, one write, one fsync.
fn journal(path: &Path) -> Result<Append, Box<dyn Error>> {
    const CHUNK: u64 = 1024 * 1024;
    let file = File::create(path)?;
    let (mut end, mut length) = (0, 0);
    Ok(Box::new(move |_| {
        let behind = end + u64::try_from(ENTRY.len())?.next_multiple_of(512);
        if behind > length {
            file.set_len(length + CHUNK)?;
            file.write_all_at(&vec![0; usize::try_from(CHUNK)?], length)?;
            length += CHUNK;
        }
        file.write_all_at(&ENTRY, end)?;
        end = behind;
        Ok(file.sync_data()?)
    }))
}

fn plain(path: &Path) -> Result<Append, Box<dyn Error>> {
    let mut file = File::create(path)?;
    Ok(Box::new(move |_| {
        file.write_all(&ENTRY)?;
        Ok(file.sync_data()?)
    }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let within = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let dir = tempfile::tempdir_in(within)?;
    let at = |name: &str| dir.path().join(name);
    let mut engines: Vec<(&str, Append, Vec<Duration>)> = vec![
        ("journal", journal(&at("journal"))?, Vec::new()),
        ("fdatasync", plain(&at("plain"))?, Vec::new()),
        ("redb, one phase", redb(&at("one"), false)?, Vec::new()),
        ("redb, two phases", redb(&at("two"), true)?, Vec::new()),
        ("fjall", fjall(&at("fjall"))?, Vec::new()),
    ];
    for turn in 0..TURNS {
        for (_, append, times) in &mut engines {
            for number in 0..APPENDS {
                let begun = Instant::now();
                append(turn * APPENDS + number)?;
                times.push(begun.elapsed());
            }
        }
    }
    for (name, _, times) in &mut engines {
        times.sort();
        let at = |share: usize| times.get(times.len() * share / 100).copied();
        let (median, late) = (at(50).unwrap_or_default(), at(99).unwrap_or_default());
        println!("{name:<18} median {median:>9.2?}  p99 {late:>9.2?}");
    }
    Ok(())
}
