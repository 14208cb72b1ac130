//! Signed notes (C2SP signed-note): a text and the signatures under it.
//!
//! ```text
//! any text, ending in a newline
//!
//! — example.com/log Uw2QOkn8srV1yJGh...      em dash, name, base64 of the key's id and signature
//! ```
//!
//! A note that parses says nothing yet: only [`crate::TrustedKeys`] decide whether its text counts.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::SignerKey;
use crate::key::is_name;
use crate::limits::{NOTE_BYTES_MAX, SIGNATURES_MAX};

/// What each line of a signature starts with.
const DASH: &str = "— ";

/// Why a text is no signed note.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteError {
    /// It is longer than a note may be.
    #[error("a note of {bytes} bytes, the limit is {max}")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
    /// It holds a control character other than a newline.
    #[error("a note with the control character {code:#04x}")]
    Control {
        /// The character.
        code: u32,
    },
    /// The text does not end in a newline.
    #[error("a note's text ends in a newline")]
    Unterminated,
    /// No empty line parts the text from signatures.
    #[error("a note without an empty line before its signatures")]
    NoSignatures,
    /// A line under the text is no signature.
    #[error("line {line} under the text of the note is no signature")]
    Signature {
        /// Which, counted from 1.
        line: u64,
    },
    /// There are more signatures than somebody will look at.
    #[error("a note with {found} signatures, the limit is {max}")]
    TooMany {
        /// How many.
        found: u64,
        /// The most allowed.
        max: u64,
    },
}

/// One signature of a note; whether it holds is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) signature: Vec<u8>,
}

/// A text with signatures, well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

// === impl NoteSignature ===

impl NoteSignature {
    /// Returns the name of the key that is said to have signed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id of that key.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns the signature's bytes, of a form that the key's type decides.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        if !is_name(name) {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            signature: signature.to_vec(),
        })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        writeln!(f, "{DASH}{} {}", self.name, STANDARD.encode(bytes))
    }
}

// === impl Note ===

impl Note {
    /// Signs a text with every key given.
    ///
    /// # Errors
    /// [`NoteError`] if the text or the number of signatures makes no note.
    pub fn sign(text: &str, keys: &[&SignerKey]) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Unterminated);
        }
        let note = Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        };
        note.and_sign(keys)
    }

    /// Signs the text once more, behind the signatures that are there. Those that the same keys made
    /// before are replaced.
    ///
    /// # Errors
    /// [`NoteError`] if there are then too many.
    pub fn and_sign(mut self, keys: &[&SignerKey]) -> Result<Self, NoteError> {
        for key in keys {
            let signature = key.sign(&self.text);
            self.signatures
                .retain(|old| (&old.name, old.id) != (&signature.name, signature.id));
            self.signatures.push(signature);
        }
        if self.signatures.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        check_count(self.signatures.len())?;
        check_bytes(&self.to_string())?;
        Ok(self)
    }

    /// Returns the text, with its last newline. It is to be ignored before a trusted key's signature
    /// was found to hold.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the signatures in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| fmt::Display::fmt(signature, f))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        check_bytes(note)?;
        let body = note.strip_suffix('\n').ok_or(NoteError::Unterminated)?;
        // The last empty line parts them: the text may have empty lines of its own.
        let (text, lines) = body.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        check_count(lines.split('\n').count())?;
        let signatures = lines.split('\n').zip(1..).map(|(line, number)| {
            NoteSignature::parse(line).ok_or(NoteError::Signature { line: number })
        });
        Ok(Self {
            signatures: signatures.collect::<Result<_, _>>()?,
            text: format!("{text}\n"),
        })
    }
}

fn check_bytes(note: &str) -> Result<(), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong {
            bytes: note.len() as u64,
            max: NOTE_BYTES_MAX as u64,
        });
    }
    let control = |c: &char| *c < ' ' && *c != '\n';
    match note.chars().find(control) {
        Some(found) => Err(NoteError::Control {
            code: u32::from(found),
        }),
        None => Ok(()),
    }
}

fn check_count(signatures: usize) -> Result<(), NoteError> {
    if signatures > SIGNATURES_MAX {
        return Err(NoteError::TooMany {
            found: signatures as u64,
            max: SIGNATURES_MAX as u64,
        });
    }
    Ok(())
}
