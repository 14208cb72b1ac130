//! Short names of columns: `a0`, `f1`, `i0`; selectors are `s0`.

use aureole_ir::{Column, ColumnKind};

/// The name of a column in formulas, pictures and reports.
#[must_use]
pub fn column_name(column: Column) -> String {
    let kind = match column.kind {
        ColumnKind::Advice => 'a',
        ColumnKind::Fixed => 'f',
        ColumnKind::Instance => 'i',
    };
    format!("{kind}{}", column.index)
}

/// The name of a selector.
pub(crate) fn selector_name(index: u32) -> String {
    format!("s{index}")
}

/// A region's name with its numbers left out, so that all rounds of a loop are one class.
pub(crate) fn class_name(name: &str) -> String {
    let mut class = String::with_capacity(name.len());
    for character in name.chars() {
        if !character.is_ascii_digit() {
            class.push(if character.is_control() {
                ' '
            } else {
                character
            });
        } else if !class.ends_with('#') {
            class.push('#');
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::class_name;

    #[test]
    fn numbers_make_no_new_class() {
        assert_eq!(class_name("level 13/round 2"), "level #/round #");
        assert_eq!(class_name("table"), "table");
    }
}
