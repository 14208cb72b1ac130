//! The widths a range may have, with the reason for the numbers.

/// Widest range: both differences stay below 2^128, so their sum is far from the field's 2^254
/// and nothing wraps; and a value is a `u128`.
pub const BITS_MAX: u32 = 128;

/// Width when the parameters give none: amounts, balances and times fit in 64 bits.
pub const BITS_DEFAULT: u32 = 64;
