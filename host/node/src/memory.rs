//! How much memory there is for proofs.

use std::fs;

use crate::config::Config;

/// Kept back for the other processes of a worker: its node, the sandboxes and what compiles components,
/// measured as 110 MiB beside proofs of k = 14 (`cargo xtask bench memory`).
const OTHERS_BYTES_MIN: u64 = 256 << 20;

/// And at least one part in this many.
const OTHERS_PART: u64 = 8;

/// Where nothing tells: what a small machine has.
const ASSUMED_BYTES: u64 = 4 << 30;

/// Returns the bytes that provers may take: what the configuration says, or what there is less what the
/// other processes take.
pub(crate) fn of_provers(config: &Config) -> u64 {
    match config.worker.memory_bytes {
        0 => less_others(there()),
        given => given,
    }
}

fn less_others(there: u64) -> u64 {
    let others = (there / OTHERS_PART).max(OTHERS_BYTES_MIN);
    there.saturating_sub(others).max(there / 2)
}

/// The machine's memory, or what the control group leaves of it.
fn there() -> u64 {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").as_deref().and_then(total);
    let groups = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let group = groups.into_iter().find_map(read).as_deref().and_then(limit);
    [machine, group]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(ASSUMED_BYTES)
}

/// The figure of `MemTotal` in /proc/meminfo, which is in KiB.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib.saturating_mul(1024))
}

/// A control group's limit in bytes; `max` is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    //! What a machine and a container say they have.

    use super::{less_others, limit, total};

    #[test]
    fn the_machine_tells_in_kib_and_a_group_in_bytes_or_not_at_all() {
        let meminfo = "MemFree:  1 kB\nMemTotal:       24645608 kB\nMemAvailable: 2 kB\n";
        assert_eq!(total(meminfo), Some(24_645_608 * 1024));
        assert_eq!(total("MemTotal: many\n"), None);
        assert_eq!(limit("2147483648\n"), Some(2 << 30));
        assert_eq!(limit("max\n"), None);
    }

    #[test]
    fn the_other_processes_have_room_beside_the_proofs() {
        assert_eq!(less_others(32 << 30), 28 << 30);
        assert_eq!(less_others(1 << 30), 768 << 20);
        assert_eq!(less_others(256 << 20), 128 << 20);
    }
}
