//! The public parameters: points that nobody chose, generated once and kept on disk.
//!
//! A file is read only if its SHA-256 is the known one: from the table in this program for
//! k <= 14, from a sidecar file written with it above that (which guards against rot, not
//! against somebody who can write to the directory). A file that fails is generated anew.

mod digests;

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use halo2_proofs::poly::commitment::Params;
use pasta_curves::{EqAffine, Fp, arithmetic::CurveAffine};
use sha2::{Digest, Sha256};

use self::digests::{K_MIN, known_digest};
use crate::{Error, Vesta, limits::K_MAX, rebuild};

/// A directory of parameter files and the parameters read from it so far.
///
/// Never generate on a request's path: call [`ParamsDir::generate_missing`] at start.
/// No lock is held while parameters are read or made, so that a thread of a rayon pool can ask:
/// two askers at once do the work twice, with the same result.
#[derive(Debug)]
pub struct ParamsDir {
    dir: PathBuf,
    verifying: Loaded<EqAffine>,
    proving: Loaded<Vesta>,
}

/// Parameters in memory, by k.
type Loaded<C> = Mutex<BTreeMap<u32, Arc<Params<C>>>>;

/// Distinguishes temporary files of one process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

// === impl ParamsDir ===

impl ParamsDir {
    /// Opens the directory, making it if need be.
    ///
    /// # Errors
    /// [`Error::ParamsFile`] if it cannot be made.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(at("create", &dir))?;
        Ok(Self {
            dir,
            verifying: Mutex::default(),
            proving: Mutex::default(),
        })
    }

    /// The parameters for 2^k rows: from memory, else from disk, else generated and written.
    ///
    /// Reading takes about 0.4 s at k = 14, generating 3 s on two cores.
    ///
    /// # Errors
    /// [`Error::K`], [`Error::ParamsFile`] or [`Error::ParamsDigest`].
    pub fn get(&self, k: u32) -> Result<Arc<Params<EqAffine>>, Error> {
        self.load(k, &self.verifying)
    }

    /// The same for proving, with the same points in the type that proofs are made with.
    ///
    /// # Errors
    /// As [`ParamsDir::get`].
    pub fn proving(&self, k: u32) -> Result<Arc<Params<Vesta>>, Error> {
        self.load(k, &self.proving)
    }

    fn load<C>(&self, k: u32, kept: &Loaded<C>) -> Result<Arc<Params<C>>, Error>
    where
        C: CurveAffine<ScalarExt = Fp>,
    {
        if !(K_MIN..=K_MAX).contains(&k) {
            return Err(Error::K {
                k,
                min: K_MIN,
                max: K_MAX,
            });
        }
        let loaded = || kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(params) = loaded().get(&k) {
            return Ok(Arc::clone(params));
        }
        let bytes = match self.verified_bytes(k)? {
            Some(bytes) => bytes,
            None => self.generate(k)?,
        };
        let read = || Params::read(&mut bytes.as_slice());
        let params = rebuild::guard("reading parameters", read)?;
        let params = params.map_err(at("read", &self.path(k)))?;
        Ok(Arc::clone(
            loaded().entry(k).or_insert_with(|| Arc::new(params)),
        ))
    }

    /// Makes every file of the range that is missing or damaged, and calls `progress` with the k
    /// about to be generated. Returns how many were generated.
    ///
    /// # Errors
    /// As [`ParamsDir::get`].
    pub fn generate_missing(
        &self,
        range: RangeInclusive<u32>,
        mut progress: impl FnMut(u32),
    ) -> Result<u32, Error> {
        let mut generated = 0_u32;
        for k in range {
            if !(K_MIN..=K_MAX).contains(&k) {
                return Err(Error::K {
                    k,
                    min: K_MIN,
                    max: K_MAX,
                });
            }
            if self.verified_bytes(k)?.is_none() {
                progress(k);
                self.generate(k)?;
                generated = generated.saturating_add(1);
            }
        }
        Ok(generated)
    }

    /// The file's bytes, if there is a file and its digest is right.
    fn verified_bytes(&self, k: u32) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(k);
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at("read", &path)(error)),
        };
        // Length first: whatever stands there is not read into memory unless it can be right.
        if length != file_bytes(k) {
            tracing::warn!(k, path = %path.display(), length, "parameter file has a wrong length");
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(at("read", &path))?;
        let found = hex::encode(Sha256::digest(&bytes));
        let expected = match known_digest(k) {
            Some(digest) => digest.to_owned(),
            None => fs::read_to_string(self.sidecar(k))
                .unwrap_or_default()
                .trim()
                .to_owned(),
        };
        if found != expected {
            tracing::warn!(k, path = %path.display(), found, expected, "parameter file is damaged");
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    /// Returns the file's bytes.
    fn generate(&self, k: u32) -> Result<Vec<u8>, Error> {
        tracing::info!(k, "generating parameters");
        let path = self.path(k);
        let params = rebuild::guard("generating parameters", || Params::<Vesta>::new(k))?;
        let mut bytes = Vec::new();
        params.write(&mut bytes).map_err(at("encode", &path))?;
        let found = hex::encode(Sha256::digest(&bytes));
        match known_digest(k) {
            Some(expected) => same(k, expected, &found)?,
            None => self.write(&self.sidecar(k), found.as_bytes())?,
        }
        self.write(&path, &bytes)?;
        Ok(bytes)
    }

    /// Writes a file whole or not at all, and on disk when it returns.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = self
            .dir
            .join(format!(".{}-{number}.tmp", std::process::id()));
        let write = || {
            let mut file = fs::File::create_new(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)?;
            fs::File::open(&self.dir)?.sync_all()
        };
        let result = write().map_err(at("write", path));
        if result.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        result
    }

    fn path(&self, k: u32) -> PathBuf {
        self.dir.join(format!("halo2-ipa-vesta-k{k}.params"))
    }

    fn sidecar(&self, k: u32) -> PathBuf {
        self.dir.join(format!("halo2-ipa-vesta-k{k}.sha256"))
    }
}

/// What was generated must be what every machine generates.
fn same(k: u32, expected: &str, found: &str) -> Result<(), Error> {
    if expected == found {
        return Ok(());
    }
    Err(Error::ParamsDigest {
        k,
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

/// `Params::write`: k, then 2^k points in either basis and two more, 32 bytes each.
fn file_bytes(k: u32) -> u64 {
    1_u64
        .checked_shl(k.saturating_add(1))
        .unwrap_or(u64::MAX)
        .saturating_add(2)
        .saturating_mul(32)
        .saturating_add(4)
}

fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::ParamsFile {
        action,
        path,
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use super::*;

    #[test]
    fn generated_parameters_that_differ_from_the_known_ones_are_an_error() {
        same(5, "ab", "ab").unwrap();
        let error = same(5, "ab", "cd").unwrap_err();
        assert_eq!(error.code(), "prover.params_digest");
        let text = error.to_string();
        assert!(
            text.contains("k = 5") && text.contains("ab") && text.contains("cd"),
            "{text}"
        );
    }

    #[test]
    fn above_the_table_a_sidecar_guards_the_file() {
        let dir = tempfile::TempDir::new().unwrap();
        let params = ParamsDir::open(dir.path()).unwrap();
        // Generating k = 15 takes too long here: a file of the right length stands in for it.
        let bytes = vec![7; usize::try_from(file_bytes(15)).unwrap()];
        fs::write(params.path(15), &bytes).unwrap();
        assert!(
            params.verified_bytes(15).unwrap().is_none(),
            "a file without a sidecar"
        );
        fs::write(params.sidecar(15), hex::encode(Sha256::digest(&bytes))).unwrap();
        assert_eq!(params.verified_bytes(15).unwrap(), Some(bytes));
    }
}
