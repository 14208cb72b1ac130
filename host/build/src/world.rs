//! The plugins' world, for modules that do not carry it: those of other languages than Rust.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::error::Cause;

/// The contract: `wit/circuit.wit`.
const CONTRACT: &str = include_str!("../../../wit/circuit.wit");
/// The world in it that plugins implement.
const WORLD: &str = "circuit-plugin";

/// Appends the section that says which world a module implements, where there is none.
pub(crate) fn name_world(module: &mut Vec<u8>) -> Result<(), Cause> {
    if names_world(module) {
        return Ok(());
    }
    let mut resolve = Resolve::default();
    let package = resolve.push_str("circuit.wit", CONTRACT)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)?;
    Ok(())
}

/// Whether a module has a section that says which world it implements, as `export!` leaves it.
/// What the SDK says of the same world without its exports is no plugin yet.
pub(crate) fn names_world(module: &[u8]) -> bool {
    const NO_EXPORTS: &[u8] = b"with-all-of-its-exports-removed";
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;
    let mut rest = module.get(HEADER..).unwrap_or_default();
    while let Some((kind, after)) = rest.split_first() {
        let Some((body, next)) = sized(after) else {
            return false;
        };
        if *kind == CUSTOM
            && let Some((name, _)) = sized(body)
            && name.starts_with(b"component-type")
            && !name
                .windows(NO_EXPORTS.len())
                .any(|window| window == NO_EXPORTS)
        {
            return true;
        }
        rest = next;
    }
    false
}

/// Splits what a length (LEB128) announces from what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    //! Which modules say what they are.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn the_section_that_names_a_world_is_found_behind_others() {
        let module = |sections: &[u8]| [b"\0asm\x01\0\0\0", sections].concat();
        let named = [&[0, 16, 14][..], b"component-type", &[9]].concat();
        assert!(names_world(&module(&named)));
        assert!(names_world(&module(&[&[1, 2, 0, 0][..], &named].concat())));
        let name = b"component-type:plugin-with-all-of-its-exports-removed:encoded world";
        let length = u8::try_from(name.len()).unwrap();
        let without_exports = [&[0, length + 1, length][..], name].concat();
        assert!(!names_world(&module(&without_exports)));
        assert!(names_world(&module(&[without_exports, named].concat())));
        assert!(!names_world(&module(&[0, 5, 4, b'n', b'a', b'm', b'e'])));
        // A length that leads beyond the end.
        assert!(!names_world(&module(&[1, 0x80, 0x01])));
    }

    #[test]
    fn a_module_is_told_its_world_once() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        name_world(&mut module).unwrap();
        assert!(names_world(&module));
        let length = module.len();
        name_world(&mut module).unwrap();
        assert_eq!(module.len(), length);
    }
}
