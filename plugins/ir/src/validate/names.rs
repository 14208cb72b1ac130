//! Names: short, few enough to be interned, and harmless in a terminal.

use crate::refusal::{self, Refusal};
use crate::{ConstraintSystem, Limits};

/// Checks the names of gates and constraints.
pub(super) fn check(cs: &ConstraintSystem, limits: &Limits) -> Result<(), Refusal> {
    let mut total = 0_u64;
    for (index, gate) in cs.gates.iter().enumerate() {
        let item = || format!("name of gate {index}");
        one(&gate.name, item, limits)?;
        total += gate.name.len() as u64;
        for (inner, constraint) in gate.constraints.iter().enumerate() {
            let item = || format!("name of constraint {inner} of gate {index}");
            one(&constraint.name, item, limits)?;
            total += constraint.name.len() as u64;
        }
    }
    let limit = u64::from(limits.names_bytes_max);
    if total > limit {
        return Err(Refusal::above(
            refusal::NAME,
            "bytes of all names",
            total,
            limit,
        ));
    }
    Ok(())
}

fn one(name: &str, item: impl Fn() -> String, limits: &Limits) -> Result<(), Refusal> {
    let bytes = name.len() as u64;
    if bytes > u64::from(limits.name_bytes_max) {
        return Err(Refusal::new(
            refusal::NAME,
            item(),
            format!(
                "{bytes} bytes are above the limit of {}",
                limits.name_bytes_max
            ),
        ));
    }
    match name.chars().find(|c| unprintable(*c)) {
        Some(character) => Err(Refusal::new(
            refusal::NAME,
            item(),
            format!(
                "the control character U+{:04X} is not allowed",
                u32::from(character)
            ),
        )),
        None => Ok(()),
    }
}

/// Whether a name may not hold the character: control characters, and those that turn the
/// direction of text around.
#[must_use]
pub fn unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
