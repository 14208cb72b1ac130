//! Field elements as canonical bytes. Arithmetic is the prover's business, not ours.

use std::fmt;

/// The field a circuit is defined over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// The base field of Pallas, which is the scalar field of Vesta (`pasta_curves::Fp`).
    PallasBase,
}

/// A field element: the canonical integer in 32 bytes, little-endian.
///
/// The type does not promise that the integer is below the modulus; [`FieldElement::is_canonical`]
/// says so, and [`Circuit::check`](crate::Circuit::check) refuses any element that is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldElement(pub [u8; 32]);

// === impl Field ===

impl Field {
    /// The modulus, little-endian.
    #[must_use]
    pub const fn modulus(self) -> [u8; 32] {
        match self {
            // 0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001
            Self::PallasBase => [
                0x01, 0x00, 0x00, 0x00, 0xed, 0x30, 0x2d, 0x99, 0x1b, 0xf9, 0x4c, 0x09, 0xfc, 0x98,
                0x46, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                0x00, 0x00, 0x00, 0x40,
            ],
        }
    }

    /// The largest k for which the field has a 2^k-th root of unity (`PrimeField::S`).
    #[must_use]
    pub const fn two_adicity(self) -> u32 {
        match self {
            Self::PallasBase => 32,
        }
    }
}

// === impl FieldElement ===

impl FieldElement {
    /// Zero.
    pub const ZERO: Self = Self([0; 32]);

    /// Whether the integer is below the field's modulus.
    #[must_use]
    pub fn is_canonical(&self, field: Field) -> bool {
        self.0.iter().rev().lt(field.modulus().iter().rev())
    }

    /// Four 64-bit limbs, least significant first.
    #[must_use]
    pub fn to_limbs(self) -> [u64; 4] {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(self.0.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        limbs
    }

    /// From four 64-bit limbs, least significant first.
    #[must_use]
    pub fn from_limbs(limbs: [u64; 4]) -> Self {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(limbs) {
            *chunk = limb.to_le_bytes();
        }
        Self(bytes)
    }

    /// `0x` and 64 hex digits, most significant first: the form halo2 prints.
    #[must_use]
    pub fn to_hex(&self) -> String {
        let mut text = String::with_capacity(66);
        text.push_str("0x");
        for byte in self.0.iter().rev() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// From `0x` and exactly 64 hex digits, most significant first; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0x")?.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().rev().zip(digits.as_chunks::<2>().0) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for FieldElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}
