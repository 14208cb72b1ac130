//! A planted secret, in every form in which it could be written down, and the search for it.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ff::{Field as _, PrimeField as _};
use pasta_curves::Fp;
use serde_json::{Value, json};

use crate::damage::files;
use crate::random::Random;

/// A field element that nobody else has.
#[derive(Clone, Debug)]
pub struct Secret {
    hex: String,
    forms: Vec<Vec<u8>>,
    /// Which forms begin with each byte.
    begins: Vec<Vec<usize>>,
}

// === impl Secret ===

impl Secret {
    /// Makes one up.
    #[must_use]
    pub fn new(random: &mut Random) -> Self {
        let bytes = random.element();
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        let mut forms = vec![decimal(&bytes), decimal(&reversed)];
        // Wherever it stands in what is encoded, and whichever end comes first.
        for order in [&bytes[..], &reversed] {
            for before in 0..3 {
                let shifted = [&vec![0; before], order].concat();
                for text in [STANDARD.encode(&shifted), URL_SAFE.encode(&shifted)] {
                    forms.push(text.into_bytes()[4..40].to_vec());
                }
            }
        }
        // A circuit may take the value in two halves, and a number's leading zero byte may be
        // left out.
        for half in [&bytes[1..16], &bytes[16..]] {
            for order in [half.to_vec(), half.iter().rev().copied().collect()] {
                forms.push(hex::encode(&order).into_bytes());
                forms.push(hex::encode_upper(&order).into_bytes());
                forms.push(list(&order, ","));
                forms.push(list(&order, ", "));
                forms.push(order);
            }
        }
        for half in in_memory(&reversed).chunks(16) {
            forms.push(half.to_vec());
        }
        let mut begins = vec![Vec::new(); 256];
        for (index, form) in forms.iter().enumerate() {
            begins[usize::from(form[0])].push(index);
        }
        Self {
            hex: format!("0x{}", hex::encode(bytes)),
            forms,
            begins,
        }
    }

    /// As an API takes it.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// An input of `preimage` with the secret as the first half of the message.
    #[must_use]
    pub fn input(&self) -> Value {
        json!({"message": [self.hex, format!("0x{:064x}", 1)]})
    }

    /// Every form that is looked for: raw and as hex, base64 and lists of bytes, big and little
    /// endian, whole or in halves; as decimal numbers; as a prover has it in memory.
    #[must_use]
    pub fn forms(&self) -> &[Vec<u8>] {
        &self.forms
    }

    /// The files below a folder that hold the secret in any form.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn places(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = files(folder)?;
        // A temporary file may be gone already.
        found.retain(|file| self.is_in(&fs::read(file).unwrap_or_default()));
        Ok(found)
    }

    /// Whether bytes hold the secret in any form; in one pass, for a database is large.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        bytes.iter().enumerate().any(|(at, byte)| {
            let mut forms = self.begins[usize::from(*byte)].iter();
            forms.any(|form| bytes[at..].starts_with(&self.forms[*form]))
        })
    }
}

/// A number as people write it.
fn decimal(big_endian: &[u8]) -> Vec<u8> {
    let mut digits = vec![0_u8];
    for byte in big_endian {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| b'0' + digit).collect()
}

/// Bytes as a list of numbers, such as JSON and debug output have them.
fn list(bytes: &[u8], between: &str) -> Vec<u8> {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    numbers.join(between).into_bytes()
}

/// A field element as the provers' code keeps it in memory, which a core file would show: times
/// 2^256, in limbs of which the lowest comes first.
fn in_memory(little_endian: &[u8]) -> Vec<u8> {
    let shift = |element: Fp| iter::successors(Some(element), |it| Some(it.double())).nth(256);
    let mut repr = [0; 32];
    repr.copy_from_slice(little_endian);
    let element = Option::from(Fp::from_repr(repr)).and_then(shift);
    let shifted: Fp = element.unwrap_or(Fp::ZERO);
    shifted.to_repr().to_vec()
}

#[cfg(test)]
mod tests {
    //! The search finds what it is to find.

    use super::*;

    #[test]
    fn the_search_finds_a_secret_in_every_form() -> anyhow::Result<()> {
        let mut random = Random::seeded()?;
        let secret = Secret::new(&mut random);
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("log");
        for form in secret.forms() {
            fs::write(&file, [b"before", &form[..], b"after"].concat())?;
            assert_eq!(secret.places(folder.path())?, [file.clone()]);
        }
        fs::write(&file, Secret::new(&mut random).forms().concat())?;
        assert!(secret.places(folder.path())?.is_empty());
        Ok(())
    }

    #[test]
    fn a_number_is_written_as_people_write_it() {
        for (bytes, text) in [
            (&[0][..], "0"),
            (&[1, 0], "256"),
            (&[255; 8], "18446744073709551615"),
        ] {
            assert_eq!(decimal(bytes), text.as_bytes());
        }
    }

    #[test]
    fn one_in_memory_is_two_to_the_256th() {
        let mut one = [0; 32];
        one[0] = 1;
        let limbs: Vec<u8> = [
            0x34786d38fffffffd_u64,
            0x992c350be41914ad,
            0xffffffffffffffff,
            0x3fffffffffffffff,
        ]
        .iter()
        .flat_map(|limb| limb.to_le_bytes())
        .collect();
        assert_eq!(in_memory(&one), limbs);
    }
}
