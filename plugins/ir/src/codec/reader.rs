//! Reads canonical bytes; every length is checked against the bytes left before it is used.

use crate::{DecodeError, FieldElement};

/// What is left of an encoding.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(crate) fn new(
        bytes: &'a [u8],
        magic: &[u8; 16],
        expected: &'static str,
    ) -> Result<Self, DecodeError> {
        match bytes.split_first_chunk::<16>() {
            Some((start, rest)) if start == magic => Ok(Self { bytes: rest }),
            _ => Err(DecodeError::Magic { expected }),
        }
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.bytes.len() as u64 {
            0 => Ok(()),
            bytes => Err(DecodeError::Trailing { bytes }),
        }
    }

    pub(crate) fn tag(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[value]| value)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Result<i32, DecodeError> {
        self.array(what).map(i32::from_le_bytes)
    }

    pub(crate) fn field(&mut self, what: &'static str) -> Result<FieldElement, DecodeError> {
        self.array(what).map(FieldElement)
    }

    /// The bytes of a number of records of `size` bytes each.
    pub(crate) fn records(
        &mut self,
        what: &'static str,
        size: u32,
    ) -> Result<&'a [u8], DecodeError> {
        let needed = u64::from(self.u32(what)?) * u64::from(size);
        let split = usize::try_from(needed)
            .ok()
            .and_then(|needed| self.bytes.split_at_checked(needed));
        let (records, rest) = split.ok_or(self.truncated(what, needed))?;
        self.bytes = rest;
        Ok(records)
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let bytes = self.records(what, 1)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(DecodeError::Utf8 { what }),
        }
    }

    /// A list whose items take `least` bytes each or more.
    pub(crate) fn list<T>(
        &mut self,
        what: &'static str,
        least: u32,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.u32(what)?;
        let needed = u64::from(count) * u64::from(least);
        if needed > self.bytes.len() as u64 {
            return Err(self.truncated(what, needed));
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((array, rest)) = self.bytes.split_first_chunk::<N>() else {
            return Err(self.truncated(what, N as u64));
        };
        self.bytes = rest;
        Ok(*array)
    }

    fn truncated(&self, what: &'static str, needed: u64) -> DecodeError {
        DecodeError::Truncated {
            what,
            needed,
            left: self.bytes.len() as u64,
        }
    }
}
