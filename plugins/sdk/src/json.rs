//! JSON into an author's types; a problem names its place and never shows a value.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::Problem;

/// Reads one document.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = pointer(error.path());
        let error = error.into_inner();
        let message = match error.is_data() {
            true => without_values(&error.to_string()),
            // What serde_json says of syntax names a line and a column, and no value.
            false => format!("not JSON: {error}"),
        };
        Problem { path, message }
    })?;
    match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(Problem::new("", format!("not JSON: {error}"))),
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { variant } => variant.clone(),
            // An error within a key or before anything was read: its parent is the place.
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// serde quotes the value it met: `invalid type: string "0x12", expected u64`. An input is
/// private, so only the kind of value and what was expected stay.
fn without_values(message: &str) -> String {
    let message = match message.rfind(" at line ") {
        Some(at) => &message[..at],
        None => message,
    };
    for start in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some(rest) = message.strip_prefix(start) {
            let kind = rest
                .split(['`', '"', ','])
                .next()
                .unwrap_or_default()
                .trim();
            let start = start.trim_end().trim_end_matches(':');
            return match rest.rfind(", expected ") {
                Some(at) => format!("{start}: {kind}{}", &rest[at..]),
                None => format!("{start}: {kind}"),
            };
        }
    }
    match message.strip_prefix("unknown variant ") {
        Some(rest) => match rest.rfind("`, expected ") {
            Some(at) => format!("unknown variant{}", &rest[at + 1..]),
            None => "unknown variant".to_owned(),
        },
        None => message.to_owned(),
    }
}
