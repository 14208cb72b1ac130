//! Canonical bytes: one value, one encoding.
//!
//! An encoding starts with 16 bytes that say what it is and in which version. Numbers are
//! little-endian and of fixed width, lists and texts carry their length first. Decoding accepts
//! exactly what encoding makes, never panics, and allocates no more than a small multiple of the
//! bytes it was given. It says nothing about whether the value makes sense.

use sha2::{Digest, Sha256};

use crate::{Annotations, Circuit, CircuitDigest, Witness};

mod circuit;
mod reader;
mod witness;
mod writer;

pub(crate) use reader::Reader;
pub(crate) use writer::Writer;

const CIRCUIT_MAGIC: &[u8; 16] = b"aureole circuit1";
const WITNESS_MAGIC: &[u8; 16] = b"aureole witness1";
const ANNOTATIONS_MAGIC: &[u8; 16] = b"aureole regions1";

/// Why bytes are no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The first 16 bytes are not those of the kind and version asked for.
    #[error("the bytes do not start with \"{expected}\"")]
    Magic {
        /// What they should start with.
        expected: &'static str,
    },
    /// The bytes end within something.
    #[error("the bytes end within {what}: {needed} more are needed, {left} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes it needs at least.
        needed: u64,
        /// Bytes there are.
        left: u64,
    },
    /// The bytes go on after the end.
    #[error("{bytes} bytes follow after the end")]
    Trailing {
        /// How many.
        bytes: u64,
    },
    /// A number that stands for one of several cases stands for none.
    #[error("{value} is no {what}")]
    Tag {
        /// The kind of case.
        what: &'static str,
        /// The number.
        value: u32,
    },
    /// A text is not UTF-8.
    #[error("{what} is not UTF-8")]
    Utf8 {
        /// The text.
        what: &'static str,
    },
    /// Flat records do not fill their bytes.
    #[error("{what} take {bytes} bytes, which is no multiple of {record}")]
    Ragged {
        /// The records.
        what: &'static str,
        /// Bytes there are.
        bytes: usize,
        /// Bytes of one record.
        record: usize,
    },
}

// === impl Circuit ===

impl Circuit {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(CIRCUIT_MAGIC);
        circuit::write(&mut writer, self);
        writer.finish()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Circuit::encode`] makes of some circuit.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, CIRCUIT_MAGIC, "aureole circuit1")?;
        let circuit = circuit::read(&mut reader)?;
        reader.finish()?;
        Ok(circuit)
    }

    /// SHA-256 of the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> CircuitDigest {
        CircuitDigest(Sha256::digest(self.encode()).into())
    }
}

// === impl Witness ===

impl Witness {
    /// The canonical bytes. They are private.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(WITNESS_MAGIC);
        witness::write(&mut writer, self);
        writer.finish()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Witness::encode`] makes of some witness.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, WITNESS_MAGIC, "aureole witness1")?;
        let witness = witness::read(&mut reader)?;
        reader.finish()?;
        Ok(witness)
    }
}

// === impl Annotations ===

impl Annotations {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(ANNOTATIONS_MAGIC);
        witness::write_annotations(&mut writer, self);
        writer.finish()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Annotations::encode`] makes of some annotations.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, ANNOTATIONS_MAGIC, "aureole regions1")?;
        let annotations = witness::read_annotations(&mut reader)?;
        reader.finish()?;
        Ok(annotations)
    }
}
