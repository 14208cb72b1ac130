//! Plugin text made fit to be shown: bounded, one line, without control or direction characters.

use crate::limits::TEXT_BYTES;

/// Text without control characters (escape sequences, line breaks), invisible or
/// direction-changing characters, cut at [`TEXT_BYTES`].
pub(crate) fn sanitise(text: &str) -> String {
    sanitise_to(text, TEXT_BYTES)
}

/// See [`sanitise`]; an ellipsis marks a cut.
pub(crate) fn sanitise_to(text: &str, max: usize) -> String {
    const ELLIPSIS: char = '…';
    let mut clean = String::with_capacity(text.len().min(max));
    // A text of nothing but hidden characters ends too.
    for character in text.chars().take(max.saturating_mul(8)) {
        let character = match character {
            '\n' | '\r' | '\t' => ' ',
            hidden if is_hidden(hidden) => continue,
            plain => plain,
        };
        if clean.len() + character.len_utf8() + ELLIPSIS.len_utf8() > max {
            clean.push(ELLIPSIS);
            break;
        }
        clean.push(character);
    }
    clean
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_line_breaks_and_direction_marks_do_not_survive() {
        assert_eq!(
            sanitise("a\u{1b}[31mb\r\nc\u{202e}d\u{200b}\0"),
            "a[31mb  cd"
        );
    }

    #[test]
    fn long_text_is_cut_at_a_character_and_says_so() {
        let text = sanitise_to(&"ü".repeat(100), 20);
        assert!(text.len() <= 20);
        assert!(text.ends_with('…'));
    }
}
