//! What this process may use of its machine: cores and memory, as its control groups limit them.

use std::fs;
use std::path::{Path, PathBuf};

/// Assumed where the system does not say: enough for one proof of k = 12.
const MEMORY_UNKNOWN: u64 = 2 << 30;

/// Cores that this process may use: its affinity and its group's quota count.
#[must_use]
pub fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// Bytes of memory that this process and its children may use: what the machine has, or what the
/// strictest of its control groups allows. 2 GiB where the system does not tell.
#[must_use]
pub fn memory_bytes() -> u64 {
    physical().map_or(MEMORY_UNKNOWN, |physical| {
        limit_under(Path::new("/")).map_or(physical, |limit| limit.min(physical))
    })
}

#[cfg(not(target_os = "macos"))]
fn physical() -> Option<u64> {
    total(&fs::read_to_string("/proc/meminfo").ok()?)
}

#[cfg(target_os = "macos")]
fn physical() -> Option<u64> {
    let told = std::process::Command::new("/usr/sbin/sysctl")
        .args(["-n", "hw.memsize"])
        .output()
        .ok()?;
    std::str::from_utf8(&told.stdout).ok()?.trim().parse().ok()
}

/// Reads `MemTotal` of `/proc/meminfo`, which is in KiB.
#[cfg(any(not(target_os = "macos"), test))]
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The strictest limit of the control groups that the process is in and of those above them, version
/// 1 or 2. In a container the group's path is often not visible: its root then carries the limit.
fn limit_under(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut strictest: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (mount, file) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|one| one == "memory") {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        let mount = root.join(mount);
        let group: PathBuf = mount.join(path.trim_start_matches('/'));
        for folder in group
            .ancestors()
            .take_while(|folder| folder.starts_with(&mount))
        {
            // "max", and version 1's nearly 2^63, are no limit.
            let limit = fs::read_to_string(folder.join(file)).ok();
            let limit = limit.and_then(|text| text.trim().parse::<u64>().ok());
            strictest = strictest.into_iter().chain(limit).min();
        }
    }
    strictest
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A root with a process's groups and some files.
    fn root(groups: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let mut all = vec![("proc/self/cgroup", groups)];
        all.extend(files);
        for (path, text) in all {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_strictest_group_above_the_process_limits_its_memory() {
        let files = [
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.max", "1000\n"),
            ("sys/fs/cgroup/a/b/memory.max", "2000\n"),
            ("sys/fs/cgroup/other/memory.max", "1\n"),
        ];
        assert_eq!(limit_under(root("0::/a/b\n", &files).path()), Some(1000));
    }

    #[test]
    fn a_group_of_version_1_limits_too() {
        let file = "sys/fs/cgroup/memory/a/memory.limit_in_bytes";
        let groups = "5:cpu,cpuacct:/a\n4:memory:/a\n0::/\n";
        assert_eq!(
            limit_under(root(groups, &[(file, "4096\n")]).path()),
            Some(4096)
        );
    }

    #[test]
    fn in_a_container_the_root_group_carries_the_limit() {
        let files = [("sys/fs/cgroup/memory.max", "5000\n")];
        assert_eq!(
            limit_under(root("0::/docker/x\n", &files).path()),
            Some(5000)
        );
    }

    #[test]
    fn without_groups_there_is_no_limit() {
        assert_eq!(limit_under(tempfile::tempdir().unwrap().path()), None);
        assert_eq!(limit_under(root("0::/\nnonsense\n", &[]).path()), None);
    }

    #[test]
    fn the_machines_memory_is_read_in_kib() {
        assert_eq!(total("MemTotal:   24 kB\nMemFree: 1 kB\n"), Some(24 * 1024));
        assert_eq!(total("MemTotal: much\n"), None);
        assert!(memory_bytes() > 64 << 20 && cores() > 0);
    }
}
