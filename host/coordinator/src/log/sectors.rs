//! Records cut into sectors, each with a checksum and its place.
//!
//! A disk writes a sector wholly or not at all, and the space behind the newest record is zeros that
//! nothing was ever written over. So after a crash a sector of an unfinished record is either whole or
//! zeros, and one that is neither has rotted: the two can be told apart with one fsync for a record.
//!
//! ```text
//! 0 .. 8      the first of SHA-256 over the rest of the sector
//! 8 .. 16     number of the record, big endian
//! 16 .. 20    number of the sector in its record
//! 20 .. 24    bytes of the record's content
//! 24 .. 512   content, zeros behind its end
//! ```

use super::entry::{CHECKSUM_BYTES, checksum};

/// Bytes of a sector: the smallest that a disk writes as one.
pub(super) const SECTOR_BYTES: usize = 512;

const HEAD_BYTES: usize = CHECKSUM_BYTES + 8 + 4 + 4;

/// Bytes of content in a sector.
const CONTENT_BYTES: usize = SECTOR_BYTES - HEAD_BYTES;

/// The bytes of a sector.
pub(super) type Bytes = [u8; SECTOR_BYTES];

/// What a sector says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sector<'a> {
    /// It was never written.
    Empty,
    /// It is not what was written.
    Rotten,
    /// A part of a record.
    Part {
        record: u64,
        number: u32,
        /// Bytes of the whole record's content.
        length: u32,
        /// This part of it, zeros behind the end included.
        content: &'a [u8],
    },
}

// === impl Sector ===

impl<'a> Sector<'a> {
    pub(super) fn of(bytes: &'a Bytes) -> Self {
        if bytes.iter().all(|byte| *byte == 0) {
            return Self::Empty;
        }
        let (found, body) = bytes.split_at(CHECKSUM_BYTES);
        if found != checksum(body) {
            return Self::Rotten;
        }
        // Each is there: the array is longer.
        let parts = || {
            let (record, rest) = body.split_first_chunk()?;
            let (number, rest) = rest.split_first_chunk()?;
            let (length, content) = rest.split_first_chunk()?;
            Some(Self::Part {
                record: u64::from_be_bytes(*record),
                number: u32::from_be_bytes(*number),
                length: u32::from_be_bytes(*length),
                content,
            })
        };
        parts().unwrap_or(Self::Rotten)
    }
}

/// How many sectors a content of some bytes takes. Also nothing takes one.
pub(super) fn sectors_for(length: u32) -> u64 {
    let content = u64::try_from(CONTENT_BYTES).unwrap_or(u64::MAX);
    u64::from(length).div_ceil(content).max(1)
}

/// Cuts a record into sectors, behind what `out` has. `None` when it is longer than a record can be.
pub(super) fn cut(record: u64, content: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let length = u32::try_from(content.len()).ok()?;
    let mut rest = content;
    for number in 0..sectors_for(length) {
        let (part, behind) = rest.split_at(rest.len().min(CONTENT_BYTES));
        rest = behind;
        let mut body = [0; SECTOR_BYTES - CHECKSUM_BYTES];
        let mut fields = body.as_mut_slice();
        for field in [
            record.to_be_bytes().as_slice(),
            &u32::try_from(number).ok()?.to_be_bytes(),
            &length.to_be_bytes(),
            part,
        ] {
            let (place, behind) = fields.split_at_mut_checked(field.len())?;
            place.copy_from_slice(field);
            fields = behind;
        }
        out.extend_from_slice(&checksum(&body));
        out.extend_from_slice(&body);
    }
    Some(())
}
