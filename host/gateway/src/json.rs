//! Strict JSON: one reading for every body, refusing what readers would disagree on.
//!
//! Refused: bytes that are no UTF-8 or start with a byte order mark, anything after the value,
//! equal keys in one object, nesting over [`JSON_DEPTH_MAX`], more than [`JSON_VALUES_MAX`]
//! values, numbers that would lose digits. The result is a [`Value`]; [`typed`] makes a request
//! of it and names the place of a misfit.

mod shape;

use std::{cell::RefCell, fmt};

use aureole_api::{
    Problem,
    codes::{Code, json, node},
};
use bytes::Bytes;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use self::shape::Shaped;
use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};

/// From this magnitude on, neighbouring whole numbers share one f64.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Documents up to this size are read where the request runs; longer ones, which take more than
/// about a millisecond, on a thread that may block.
const INLINE: usize = 64 * 1024;

/// Reads a document without holding up the runtime.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_anywhere(bytes: Bytes) -> Result<Value, Problem> {
    if bytes.len() <= INLINE {
        return read(&bytes);
    }
    let read = tokio::task::spawn_blocking(move || read(&bytes));
    read.await
        .map_err(|_| Problem::new(node::INTERNAL, "the reader of a document ended early"))?
}

/// Reads a document.
///
/// # Errors
/// Every code of the family `json` but those of [`typed`].
pub(crate) fn read(bytes: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = format!("byte {} is not UTF-8", error.valid_up_to());
        Problem::new(json::ENCODING, place)
    })?;
    if text.starts_with('\u{feff}') {
        return Err(Problem::new(
            json::ENCODING,
            "the body starts with a byte order mark",
        ));
    }
    let notes = Notes::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict {
        notes: &notes,
        place: &Place::Root,
        depth: 0,
    }
    .deserialize(&mut reader)
    .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| notes.fault.into_inner().unwrap_or_else(|| syntax(&error)))
}

/// Makes a request of a document.
///
/// # Errors
/// `json.unknown_field`, `json.missing_field` or `json.type`, with the path.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::new(json::TYPE, "expected an object"));
    }
    serde_path_to_error::deserialize(Shaped(value)).map_err(|error| {
        let path = pointer(error.path());
        let detail = error.into_inner().to_string();
        let code = if detail.starts_with("unknown field") {
            json::UNKNOWN_FIELD
        } else if detail.starts_with("missing field") {
            json::MISSING_FIELD
        } else {
            json::TYPE
        };
        let problem = Problem::new(code, detail);
        if path.is_empty() {
            problem
        } else {
            problem.at(path)
        }
    })
}

fn syntax(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let code = if text.starts_with("number out of range") {
        json::NUMBER
    } else {
        json::SYNTAX
    };
    Problem::new(code, text)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        match segment {
            Segment::Seq { index } => push_step(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_step(&mut pointer, key),
            Segment::Enum { variant } => push_step(&mut pointer, variant),
            Segment::Unknown => {}
        }
        pointer
    })
}

fn push_step(pointer: &mut String, step: &str) {
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
}

/// What the visitors of one document have seen.
#[derive(Default)]
struct Notes {
    values: RefCell<u32>,
    fault: RefCell<Option<Problem>>,
}

/// The way from the root to a value, on the stack of the reading.
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

/// Reads one value at a place.
#[derive(Clone, Copy)]
struct Strict<'a> {
    notes: &'a Notes,
    place: &'a Place<'a>,
    depth: u32,
}

// === impl Place ===

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) => {
                let mut pointer = parent.pointer();
                push_step(&mut pointer, key);
                pointer
            }
            Self::Index(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

// === impl Strict ===

impl Strict<'_> {
    /// Keeps the first problem and gives serde something to stop with.
    fn refuse<E: serde::de::Error>(&self, code: Code, detail: String, at: &Place<'_>) -> E {
        let problem = Problem::new(code, detail).at(at.pointer());
        self.notes.fault.borrow_mut().get_or_insert(problem);
        E::custom(code.code)
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let mut values = self.notes.values.borrow_mut();
        *values = values.saturating_add(1);
        if *values > JSON_VALUES_MAX {
            let detail = format!("more than {JSON_VALUES_MAX} values");
            return Err(self.refuse(json::SIZE, detail, self.place));
        }
        Ok(())
    }

    fn deeper<E: serde::de::Error>(&self) -> Result<u32, E> {
        if self.depth >= JSON_DEPTH_MAX {
            let detail = format!("nested deeper than {JSON_DEPTH_MAX}");
            return Err(self.refuse(json::DEPTH, detail, self.place));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let exact = Some(value)
            .filter(|value| value.abs() < EXACT_MAX)
            .and_then(Number::from_f64);
        exact.map(Value::Number).ok_or_else(|| {
            let detail = "the number would lose digits: write it as a decimal string";
            self.refuse(json::NUMBER, detail.to_owned(), self.place)
        })
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut values = Vec::new();
        loop {
            let place = Place::Index(self.place, values.len());
            let item = Strict {
                notes: self.notes,
                place: &place,
                depth,
            };
            match items.next_element_seed(item)? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let place = Place::Key(self.place, &key);
            if map.contains_key(&key) {
                let detail = "the key stands twice in its object".to_owned();
                return Err(self.refuse(json::DUPLICATE_KEY, detail, &place));
            }
            let item = Strict {
                notes: self.notes,
                place: &place,
                depth,
            };
            let value = entries.next_value_seed(item)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests;
