//! Writes canonical bytes.

use crate::FieldElement;

/// A growing encoding.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

// === impl Writer ===

impl Writer {
    pub(crate) fn new(magic: &[u8; 16]) -> Self {
        Self {
            bytes: magic.to_vec(),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn tag(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// A length. One that does not fit stands as the largest number, which no decoder accepts;
    /// nothing that is checked comes near.
    pub(crate) fn length(&mut self, length: usize) {
        self.u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    pub(crate) fn field(&mut self, value: &FieldElement) {
        self.bytes.extend_from_slice(&value.0);
    }

    /// A number of records and their bytes.
    pub(crate) fn records(&mut self, count: usize, bytes: &[u8]) {
        self.length(count);
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.records(text.len(), text.as_bytes());
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            write(self, item);
        }
    }
}
