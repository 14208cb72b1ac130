//! A child process for this crate's tests, started as the node's own binary would be: the last
//! argument is the kind, those before it only tell processes apart in a process list.

use std::process::ExitCode;

fn main() -> ExitCode {
    let kind = std::env::args().next_back().unwrap_or_default();
    match kind.parse() {
        Ok(kind) => aureole_worker::child::run(kind),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(64)
        }
    }
}
