//! What is large as flat bytes: the form in which it crosses the sandbox's border.
//!
//! Little-endian and without padding. Reading checks lengths only; order, ranges and canonical
//! field elements are [`Circuit::check`](crate::Circuit::check)'s business.

use crate::{Copy, DecodeError, Denominator, FieldElement, FixedCell, SelectorRow};

/// Bytes of a fixed cell or a denominator: column, row, value.
pub const CELL_BYTES: usize = 40;
/// Bytes of a selector activation: selector, row.
pub const SELECTOR_ROW_BYTES: usize = 8;
/// Bytes of a copy: position, row, position, row.
pub const COPY_BYTES: usize = 16;

/// Reads fixed cells.
///
/// # Errors
/// [`DecodeError::Ragged`] when the length is no multiple of [`CELL_BYTES`].
pub fn fixed_cells(bytes: &[u8]) -> Result<Vec<FixedCell>, DecodeError> {
    records::<CELL_BYTES, _>("fixed cells", bytes, |record| {
        let (column, row, value) = cell(record);
        FixedCell { column, row, value }
    })
}

/// Reads denominators.
///
/// # Errors
/// [`DecodeError::Ragged`] when the length is no multiple of [`CELL_BYTES`].
pub fn denominators(bytes: &[u8]) -> Result<Vec<Denominator>, DecodeError> {
    records::<CELL_BYTES, _>("denominators", bytes, |record| {
        let (column, row, value) = cell(record);
        Denominator { column, row, value }
    })
}

/// Reads selector activations.
///
/// # Errors
/// [`DecodeError::Ragged`] when the length is no multiple of [`SELECTOR_ROW_BYTES`].
pub fn selector_rows(bytes: &[u8]) -> Result<Vec<SelectorRow>, DecodeError> {
    records::<SELECTOR_ROW_BYTES, _>("selector rows", bytes, |record| {
        let [selector, row] = words(record);
        SelectorRow { selector, row }
    })
}

/// Reads copies.
///
/// # Errors
/// [`DecodeError::Ragged`] when the length is no multiple of [`COPY_BYTES`].
pub fn copies(bytes: &[u8]) -> Result<Vec<Copy>, DecodeError> {
    records::<COPY_BYTES, _>("copies", bytes, |record| {
        let [left_column, left_row, right_column, right_row] = words(record);
        Copy {
            left_column,
            left_row,
            right_column,
            right_row,
        }
    })
}

/// Writes fixed cells.
#[must_use]
pub fn fixed_cells_bytes(cells: &[FixedCell]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(cells.len() * CELL_BYTES);
    for cell in cells {
        push_cell(&mut bytes, cell.column, cell.row, &cell.value);
    }
    bytes
}

/// Writes denominators.
#[must_use]
pub fn denominators_bytes(denominators: &[Denominator]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(denominators.len() * CELL_BYTES);
    for cell in denominators {
        push_cell(&mut bytes, cell.column, cell.row, &cell.value);
    }
    bytes
}

/// Writes selector activations.
#[must_use]
pub fn selector_rows_bytes(rows: &[SelectorRow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * SELECTOR_ROW_BYTES);
    for row in rows {
        push_words(&mut bytes, [row.selector, row.row]);
    }
    bytes
}

/// Writes copies.
#[must_use]
pub fn copies_bytes(copies: &[Copy]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(copies.len() * COPY_BYTES);
    for copy in copies {
        push_words(
            &mut bytes,
            [
                copy.left_column,
                copy.left_row,
                copy.right_column,
                copy.right_row,
            ],
        );
    }
    bytes
}

fn records<const N: usize, T>(
    what: &'static str,
    bytes: &[u8],
    read: impl Fn(&[u8; N]) -> T,
) -> Result<Vec<T>, DecodeError> {
    let (records, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(DecodeError::Ragged {
            what,
            bytes: bytes.len(),
            record: N,
        });
    }
    Ok(records.iter().map(read).collect())
}

fn words<const N: usize, const W: usize>(record: &[u8; N]) -> [u32; W] {
    let mut words = [0; W];
    for (word, bytes) in words.iter_mut().zip(record.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

fn cell(record: &[u8; CELL_BYTES]) -> (u32, u32, FieldElement) {
    let [column, row] = words(record);
    let value = record.last_chunk::<32>().copied().unwrap_or_default();
    (column, row, FieldElement(value))
}

fn push_words<const W: usize>(bytes: &mut Vec<u8>, words: [u32; W]) {
    for word in words {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

fn push_cell(bytes: &mut Vec<u8>, column: u32, row: u32, value: &FieldElement) {
    push_words(bytes, [column, row]);
    bytes.extend_from_slice(&value.0);
}
