//! How many fields a message has, counted as its bytes pass and before anybody decodes it.
//!
//! An empty message in a list takes two bytes on the wire and some hundred and fifty in memory, so the
//! limit on bytes alone lets a call take seventy times of it. Only the outermost fields are counted:
//! the lists that messages of ours hold further inside are of texts, which grow twelvefold.
//!
//! ```text
//! | flag | length | tag value tag value ... | flag | length | ...     any cut into chunks
//! ```
//!
//! What is no protobuf is passed on: the decoder says what is wrong with it.

use crate::limits::MESSAGE_FIELDS_MAX;

/// A flag and a length stand before each message.
const HEAD_BYTES: u8 = 5;

/// Bytes of the longest varint.
const VARINT_BYTES_MAX: u8 = 10;

/// Counts the fields of a stream of messages.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    at: At,
    /// Bytes of the message that are still to come.
    left: u64,
    /// Fields of the message so far.
    count: u32,
}

/// Where in a stream of messages its next byte stands.
#[derive(Debug)]
enum At {
    /// In the head: bytes of it so far, and the length as far as it is known.
    Head { seen: u8, length: u32 },
    /// In a field's tag.
    Tag(Varint),
    /// In a value that is a varint.
    Number,
    /// In the length of a value.
    Length(Varint),
    /// In a value, so many bytes before its end.
    Skip(u64),
    /// In what is no protobuf, to the end of the message.
    Lost,
}

/// A varint as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
struct Varint {
    value: u64,
    seen: u8,
}

impl Default for At {
    fn default() -> Self {
        Self::Head { seen: 0, length: 0 }
    }
}

// === impl Varint ===

impl Varint {
    /// Takes a byte; the value when it was the last.
    fn take(&mut self, byte: u8) -> Option<u64> {
        let bits = u64::from(byte & 0x7f);
        let shift = u32::from(self.seen).saturating_mul(7);
        self.value |= bits.checked_shl(shift).unwrap_or(0);
        self.seen = self.seen.saturating_add(1);
        (byte < 0x80).then_some(self.value)
    }

    const fn is_too_long(self) -> bool {
        self.seen >= VARINT_BYTES_MAX
    }
}

// === impl Fields ===

impl Fields {
    /// Sees the next bytes of a call.
    ///
    /// # Errors
    /// How many fields a message has at the least, when that is more than it may.
    pub(crate) fn see(&mut self, mut chunk: &[u8]) -> Result<(), u32> {
        while let Some((&byte, rest)) = chunk.split_first() {
            // Values are passed over, not walked through.
            if let At::Skip(_) | At::Lost = self.at {
                let wanted = match self.at {
                    At::Skip(bytes) => bytes.min(self.left),
                    _ => self.left,
                };
                let passed = usize::try_from(wanted).unwrap_or(usize::MAX);
                let passed = passed.min(chunk.len());
                chunk = chunk.get(passed..).unwrap_or_default();
                self.pass(passed as u64);
                continue;
            }
            chunk = rest;
            self.step(byte)?;
        }
        Ok(())
    }

    /// Goes on behind bytes of a value, of which there was at least one.
    fn pass(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
        if let At::Skip(value) = &mut self.at {
            *value = value.saturating_sub(bytes);
            if *value == 0 {
                self.at = At::Tag(Varint::default());
            }
        }
        self.turn();
    }

    /// Begins the next message when this one is over.
    fn turn(&mut self) {
        if self.left == 0 {
            *self = Self::default();
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), u32> {
        if let At::Head { seen, length } = &mut self.at {
            if *seen > 0 {
                *length = (*length << 8) | u32::from(byte);
            }
            *seen += 1;
            if *seen == HEAD_BYTES {
                self.left = u64::from(*length);
                self.at = At::Tag(Varint::default());
                self.turn();
            }
            return Ok(());
        }
        self.left = self.left.saturating_sub(1);
        self.advance(byte);
        if self.count > MESSAGE_FIELDS_MAX {
            return Err(self.count);
        }
        self.turn();
        Ok(())
    }

    /// Takes a byte of a tag, a number or a length.
    fn advance(&mut self, byte: u8) {
        let next = match &mut self.at {
            At::Tag(tag) => match tag.take(byte) {
                Some(tag) => {
                    self.count = self.count.saturating_add(1);
                    Some(value_of(tag))
                }
                None => tag.is_too_long().then_some(At::Lost),
            },
            At::Number => (byte < 0x80).then(|| At::Tag(Varint::default())),
            At::Length(length) => match length.take(byte) {
                Some(0) => Some(At::Tag(Varint::default())),
                Some(bytes) => Some(At::Skip(bytes)),
                None => length.is_too_long().then_some(At::Lost),
            },
            At::Head { .. } | At::Skip(_) | At::Lost => None,
        };
        if let Some(next) = next {
            self.at = next;
        }
    }
}

/// What stands behind a tag. No field has the number 0.
fn value_of(tag: u64) -> At {
    if tag >> 3 == 0 {
        return At::Lost;
    }
    match tag & 7 {
        0 => At::Number,
        1 => At::Skip(8),
        2 => At::Length(Varint::default()),
        5 => At::Skip(4),
        // Groups, which nobody sends any more, and what is none.
        _ => At::Lost,
    }
}

#[cfg(test)]
mod tests {
    //! Fields are counted however the bytes are cut, and only those of the message itself.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0][..], &length, message].concat()
    }

    /// A list of items of so many bytes each, under 16,384, that look like fields themselves.
    fn batch(items: usize, bytes: usize) -> Vec<u8> {
        let length = match u8::try_from(bytes) {
            Ok(short @ 0..0x80) => vec![short],
            _ => vec![
                u8::try_from(bytes & 0x7f).unwrap() | 0x80,
                u8::try_from(bytes >> 7).unwrap(),
            ],
        };
        let item = [&[0x0a][..], &length, &vec![0x08; bytes]].concat();
        framed(&item.repeat(items))
    }

    /// What counting says of bytes in chunks of a size.
    fn seen(bytes: &[u8], size: usize) -> Result<(), u32> {
        let mut fields = Fields::default();
        bytes.chunks(size).try_for_each(|chunk| fields.see(chunk))
    }

    #[test]
    fn a_message_has_so_many_fields_however_it_is_cut() {
        let most = MESSAGE_FIELDS_MAX as usize;
        for bytes in [0, 1, 127, 300] {
            let (good, bad) = (batch(most, bytes), batch(most + 1, bytes));
            for size in [1, 2, 7, 64, usize::MAX] {
                assert_eq!(seen(&good, size), Ok(()), "{size}");
                assert_eq!(seen(&bad, size), Err(MESSAGE_FIELDS_MAX + 1), "{size}");
            }
        }
    }

    #[test]
    fn messages_are_counted_one_by_one() {
        let many = [batch(900, 1), framed(&[]), batch(900, 2)].concat();
        for size in [1, 3, usize::MAX] {
            assert_eq!(seen(&many, size), Ok(()));
        }
        let bad = [many, batch(2000, 0)].concat();
        assert_eq!(seen(&bad, 5), Err(MESSAGE_FIELDS_MAX + 1));
    }

    #[test]
    fn fields_of_every_wire_type_are_passed_over() {
        let field = [
            &[0x08, 0xff, 0x01][..],
            &[0x11, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0x1a, 2, 0x0a, 0],
            &[0x25, 1, 2, 3, 4],
        ]
        .concat();
        let quarter = MESSAGE_FIELDS_MAX as usize / 4;
        for size in [1, 6, usize::MAX] {
            assert_eq!(seen(&framed(&field.repeat(quarter)), size), Ok(()));
            let more = framed(&field.repeat(quarter + 1));
            assert_eq!(seen(&more, size), Err(MESSAGE_FIELDS_MAX + 1));
        }
    }

    #[test]
    fn what_is_no_protobuf_is_passed_on_and_the_next_message_is_counted() {
        for nonsense in [
            &[0x0b; 5000][..],
            &[0; 5000],
            &[0xff; 5000],
            &[0x0a, 0xff, 0xff, 0xff, 0x7f],
        ] {
            let both = [framed(nonsense), batch(2000, 0)].concat();
            assert_eq!(seen(&framed(nonsense), 3), Ok(()));
            assert_eq!(seen(&both, 3), Err(MESSAGE_FIELDS_MAX + 1));
        }
    }
}
