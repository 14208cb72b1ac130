//! Damage to the files of a stopped node: flipped bits, torn tails, lost folders.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::random::Random;

/// Flips one bit of a file at a random place and says which.
///
/// # Errors
/// When the file is empty or cannot be changed.
pub fn flip_bit(file: &Path, random: &mut Random) -> anyhow::Result<(u64, u8)> {
    let open = OpenOptions::new().read(true).write(true).open(file);
    let open = open.with_context(|| format!("could not open {}", file.display()))?;
    let bytes = open.metadata()?.len();
    ensure!(bytes > 0, "{} is empty", file.display());
    let (at, bit) = (random.below(bytes), u8::try_from(random.below(8))?);
    let mut byte = [0];
    open.read_exact_at(&mut byte, at)?;
    byte[0] ^= 1 << bit;
    open.write_all_at(&byte, at)?;
    Ok((at, bit))
}

/// Cuts off the last bytes of a file, as when the system wrote its length before its content.
///
/// # Errors
/// When the file is shorter, or cannot be changed.
pub fn tear(file: &Path, bytes: u64) -> anyhow::Result<()> {
    let open = OpenOptions::new().write(true).open(file)?;
    let before = open.metadata()?.len();
    ensure!(
        before >= bytes,
        "{} has only {before} bytes",
        file.display()
    );
    Ok(open.set_len(before - bytes)?)
}

/// The files below a folder, in the order of their names; none when it is not there.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    //! Damage is what it says.

    use super::{files, flip_bit, tear};
    use crate::random::Random;

    #[test]
    fn one_bit_is_flipped_and_a_tail_is_gone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("below/file");
        std::fs::create_dir(folder.path().join("below"))?;
        std::fs::write(&file, [0; 100])?;
        let (at, bit) = flip_bit(&file, &mut Random::seeded()?)?;
        let bytes = std::fs::read(&file)?;
        assert_eq!(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
        assert_eq!(bytes.get(usize::try_from(at)?), Some(&(1 << bit)));
        tear(&file, 30)?;
        assert_eq!(std::fs::metadata(&file)?.len(), 70);
        assert!(tear(&file, 71).is_err());
        assert_eq!(files(folder.path())?, [file]);
        Ok(())
    }
}
