//! A label whose values come from outside: the first so many have their names, later ones share one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::limits::OTHER;

/// Values that were seen, up to a number.
#[derive(Debug)]
pub(crate) struct Capped {
    max: u32,
    seen: Mutex<BTreeSet<String>>,
}

// === impl Capped ===

impl Capped {
    pub(crate) fn new(max: u32) -> Self {
        Self {
            max,
            seen: Mutex::default(),
        }
    }

    /// The value that counts: the given one, or [`OTHER`] past the bound. What has the form of no
    /// code is [`OTHER`] too.
    pub(crate) fn name<'a>(&self, value: &'a str) -> &'a str {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(value) {
            return value;
        }
        let room = u32::try_from(seen.len()).is_ok_and(|count| count < self.max);
        if !room || !is_code(value) {
            return OTHER;
        }
        seen.insert(value.to_owned());
        value
    }
}

/// Words of small letters, digits and underscores, with dots between: what codes look like.
fn is_code(value: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte);
    !value.is_empty() && value.len() <= 64 && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    //! A stranger's values do not grow what is counted.

    use super::Capped;

    #[test]
    fn values_past_the_bound_share_a_name_and_known_ones_keep_theirs() {
        let capped = Capped::new(2);
        assert_eq!(capped.name("task.timeout"), "task.timeout");
        assert_eq!(capped.name("plugin.trap"), "plugin.trap");
        assert_eq!(capped.name("task.late"), "other");
        assert_eq!(capped.name("task.timeout"), "task.timeout");
    }

    #[test]
    fn what_is_no_code_is_not_repeated() {
        let capped = Capped::new(8);
        for value in ["", "0xSECRET", "a b", "é", &"a".repeat(65)] {
            assert_eq!(capped.name(value), "other", "{value}");
        }
    }
}
