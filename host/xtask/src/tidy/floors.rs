//! Versions that must not be gone below. Advisory databases know little of halo2 and openraft, so
//! the reasons stand here.

use std::path::Path;

use anyhow::Context as _;

/// Package, lowest version allowed, and why.
const FLOORS: [(&str, [u64; 3], &str); 6] = [
    (
        "openraft",
        [0, 9, 25],
        "0.9.21 to 0.9.24 can commit without a quorum (databendlabs/openraft#1802)",
    ),
    (
        "wasmtime",
        [48, 0, 8],
        "earlier releases of this line have published sandbox escapes and crashes",
    ),
    (
        "halo2_proofs",
        [0, 4, 1],
        "before 0.3.1 a column queried twice at one point forges evaluations (zcash/halo2#846); \
         recording is measured against 0.4.1",
    ),
    (
        "halo2_gadgets",
        [0, 6, 0],
        "before 0.5.0 variable-base multiplication is under-constrained, before 0.6.0 SHA-256 is",
    ),
    (
        "h2",
        [0, 4, 16],
        "earlier releases are open to floods of resets and empty frames",
    ),
    (
        "hyper",
        [1, 0, 0],
        "the accept loop relies on the timers of hyper 1",
    ),
];

/// Names every locked package below its floor.
pub(super) fn check(workspace: &Path) -> anyhow::Result<Vec<String>> {
    let lock = std::fs::read_to_string(workspace.join("Cargo.lock"))
        .context("could not read Cargo.lock")?;
    Ok(breaches(&lock))
}

fn breaches(lock: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in lock.split("[[package]]") {
        let field = |name: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().strip_prefix("= "))
        };
        let (Some(name), Some(version)) = (field("name "), field("version ")) else {
            continue;
        };
        let (name, version) = (name.trim_matches('"'), version.trim_matches('"'));
        for (floored, floor, reason) in FLOORS {
            if name == floored && parse(version) < Some(floor) {
                let [major, minor, patch] = floor;
                breaches.push(format!(
                    "Cargo.lock: {name} {version} is below {major}.{minor}.{patch}: {reason}"
                ));
            }
        }
    }
    breaches
}

fn parse(version: &str) -> Option<[u64; 3]> {
    let mut numbers = version.split(['-', '+']).next()?.split('.').map(str::parse);
    Some([
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ])
}

#[cfg(test)]
mod tests {
    //! A package below its floor is named with the reason.

    use super::breaches;

    fn lock(version: &str) -> String {
        format!("version = 4\n\n[[package]]\nname = \"openraft\"\nversion = \"{version}\"\n")
    }

    #[test]
    fn a_package_below_its_floor_is_named_with_the_reason() {
        let found = breaches(&lock("0.9.24"));
        assert_eq!(found.len(), 1);
        assert!(found.concat().contains("without a quorum"), "{found:?}");
    }

    #[test]
    fn a_package_at_or_above_its_floor_passes() {
        for version in ["0.9.25", "0.10.0", "1.0.0"] {
            assert_eq!(breaches(&lock(version)), Vec::<String>::new());
        }
    }
}
