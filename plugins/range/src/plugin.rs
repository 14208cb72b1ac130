//! The plugin: JSON in, circuit out.

use std::fmt;

use aureole_sdk::{Plugin, Problem, PublicInput, ir::FieldElement};
use ff::PrimeField;
use pasta_curves::Fp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    circuit::{Opening, RangeCircuit, commitment},
    limits::{BITS_DEFAULT, BITS_MAX},
};

/// The plugin.
#[derive(Clone, Copy, Debug)]
pub struct Range;

/// Which circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Range parameters")]
pub struct Params {
    /// Width of the range in bits: `hi - lo` must be below 2^bits. Fewer bits make the circuit
    /// smaller.
    #[serde(default = "default_bits")]
    #[schemars(range(min = 1, max = 128))]
    pub bits: u32,
}

/// What one proof is made from.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Range input")]
pub struct Input {
    /// The private value, from `lo` to `hi`, both included.
    pub value: Whole,
    /// The lower bound; public.
    pub lo: Whole,
    /// The upper bound; public.
    pub hi: Whole,
    /// The private blinding of the commitment: a random element of the Pallas base field, `0x`
    /// and 64 hex digits, most significant first, and below the field's modulus
    /// 0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001. Draw a fresh one from
    /// a secure source for each commitment, and keep it: it opens the commitment.
    #[schemars(regex(pattern = "^0x[0-9a-fA-F]{64}$"))]
    pub blinding: String,
}

/// A whole number from 0 to 2^128 - 1.
///
/// JSON integers end at 2^64 - 1, and many JSON writers round them above 2^53: larger numbers
/// are decimal strings.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "must be a whole number from 0 to 2^64 - 1, or a decimal string up to 2^128 - 1"
)]
#[schemars(title = "Whole number")]
pub enum Whole {
    /// A JSON integer, up to 2^64 - 1.
    Integer(u64),
    /// A decimal string without leading zeros, up to 2^128 - 1.
    Decimal(#[schemars(regex(pattern = "^(0|[1-9][0-9]{0,38})$"))] String),
}

impl Plugin for Range {
    const NAME: &'static str = "range";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Proves that a committed value lies between two public bounds.";
    const PUBLIC_INPUTS: &'static [(&'static str, &'static str)] = &[
        ("commitment", "Poseidon hash of the value and the blinding"),
        ("lo", "lower bound, included"),
        ("hi", "upper bound, included"),
    ];

    type Params = Params;
    type Input = Input;
    type Circuit = RangeCircuit;

    fn default_params() -> Option<Params> {
        Some(Params { bits: BITS_DEFAULT })
    }

    fn validate(params: &Params) -> Result<(), Problem> {
        match params.bits {
            1..=BITS_MAX => Ok(()),
            bits => Err(Problem::new(
                "/bits",
                format!("must be between 1 and {BITS_MAX}, not {bits}"),
            )),
        }
    }

    fn public_inputs(_params: &Params) -> Vec<PublicInput> {
        ["commitment", "lo", "hi"]
            .map(|name| PublicInput {
                name: name.to_owned(),
                column: 0,
                rows: 1,
            })
            .into()
    }

    fn shape(params: &Params) -> RangeCircuit {
        RangeCircuit::new(params.bits)
    }

    fn assign(params: &Params, input: Input) -> Result<(RangeCircuit, Vec<Fp>), Problem> {
        let value = whole("/value", &input.value)?;
        let lo = whole("/lo", &input.lo)?;
        let hi = whole("/hi", &input.hi)?;
        let blinding = field_element("/blinding", &input.blinding)?;
        check_order(params.bits, value, lo, hi)?;

        let opening = Opening {
            value: Fp::from_u128(value),
            blinding,
            lo: Fp::from_u128(lo),
            hi: Fp::from_u128(hi),
        };
        let public = vec![commitment(value, blinding), opening.lo, opening.hi];
        Ok((Self::shape(params).with_opening(opening), public))
    }
}

aureole_sdk::export!(Range);

// An input is private: its debug form shows none of it.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whole").finish_non_exhaustive()
    }
}

fn default_bits() -> u32 {
    BITS_DEFAULT
}

/// Refuses what the circuit could not prove. The bounds are public, so messages may show them.
fn check_order(bits: u32, value: u128, lo: u128, hi: u128) -> Result<(), Problem> {
    let Some(width) = hi.checked_sub(lo) else {
        return Err(Problem::new("/lo", "must not be above hi"));
    };
    // Both differences fit if the whole range does. The circuit would take wider ranges for
    // some values; whether a range is refused must not depend on the private one.
    if width.checked_shr(bits).unwrap_or(0) != 0 {
        return Err(Problem::new(
            "/hi",
            format!("must be less than 2^{bits} above lo: this circuit has {bits} bits"),
        ));
    }
    if !(lo..=hi).contains(&value) {
        return Err(Problem::new(
            "/value",
            format!("must be between lo and hi, {lo} and {hi}"),
        ));
    }
    Ok(())
}

fn whole(path: &str, whole: &Whole) -> Result<u128, Problem> {
    let text = match whole {
        Whole::Integer(integer) => return Ok(u128::from(*integer)),
        Whole::Decimal(text) => text,
    };
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| is_decimal && !has_leading_zero)
        .ok_or_else(|| {
            let right = "must be a decimal number from 0 to 2^128 - 1 without leading zeros";
            Problem::new(path, right)
        })
}

fn field_element(path: &str, text: &str) -> Result<Fp, Problem> {
    let element = FieldElement::from_hex(text)
        .ok_or_else(|| Problem::new(path, "must be 0x and exactly 64 hex digits"))?;
    Option::from(Fp::from_repr(element.0))
        .ok_or_else(|| Problem::new(path, format!("must be below the modulus {}", Fp::MODULUS)))
}
