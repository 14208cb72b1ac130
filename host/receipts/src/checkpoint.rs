//! Checkpoints (C2SP tlog-checkpoint): which log, how many leaves, what root; signed as a note.
//!
//! ```text
//! example.com/log                                   the origin: which log
//! 20852163                                          its size
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=      its root
//! ```

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::limits::{EXTENSIONS_MAX, LEAVES_MAX, NAME_BYTES_MAX};
use crate::{Hash, Head, Note, NoteError, SignerKey, TrustError, TrustedKeys, VerifierKey};

/// Why a text is no checkpoint, or not one to believe.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckpointError {
    /// An origin is empty, too long, or has a control character.
    #[error("an origin has 1 to {max} bytes and no control character")]
    Origin {
        /// The longest origin allowed.
        max: u64,
    },
    /// There are no three lines, each ended by a newline.
    #[error("a checkpoint has three lines at least, none of them empty")]
    Lines,
    /// The second line is no size, or a size with zeros or signs before it.
    #[error("{text:?} is no size of a log")]
    Size {
        /// The line, cut to what a size can have.
        text: String,
    },
    /// The size is beyond what this build counts.
    #[error("a log of {size} leaves, the limit is {max}")]
    TooLarge {
        /// The size.
        size: u64,
        /// The most allowed.
        max: u64,
    },
    /// The third line is no base64 of 32 bytes.
    #[error("the checkpoint's root is no hash in base64")]
    Root,
    /// There are more lines after the third than any checkpoint needs.
    #[error("a checkpoint with {found} extension lines, the limit is {max}")]
    Extensions {
        /// How many.
        found: u64,
        /// The most allowed.
        max: u64,
    },
    /// It is no signed note.
    #[error("the checkpoint is no signed note")]
    Note(#[from] NoteError),
    /// Its signatures do not make it believed.
    #[error("the checkpoint is not signed by those trusted")]
    Trust(#[from] TrustError),
    /// Others that are trusted signed it, but not the log that it says it is of.
    #[error("no trusted key of the name {origin:?} signed the checkpoint of that origin")]
    Foreign {
        /// The origin.
        origin: String,
    },
}

/// What a log says of itself at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    head: Head,
    extensions: Vec<String>,
}

/// A checkpoint whose signatures hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The trusted keys that signed it, in the order of their signatures.
    pub signers: Vec<VerifierKey>,
}

// === impl Checkpoint ===

impl Checkpoint {
    /// Makes the checkpoint of a log's head. The origin is the name of the key that will sign it.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] or [`CheckpointError::TooLarge`].
    pub fn new(origin: &str, head: Head) -> Result<Self, CheckpointError> {
        let long = origin.len() > NAME_BYTES_MAX;
        if origin.is_empty() || long || origin.chars().any(|c| c < ' ') {
            return Err(CheckpointError::Origin {
                max: NAME_BYTES_MAX as u64,
            });
        }
        if head.size > LEAVES_MAX {
            return Err(CheckpointError::TooLarge {
                size: head.size,
                max: LEAVES_MAX,
            });
        }
        Ok(Self {
            origin: origin.to_owned(),
            head,
            extensions: Vec::new(),
        })
    }

    /// Signs it with the log's keys, and perhaps others.
    ///
    /// A log must never sign two checkpoints that are inconsistent: the caller has checked this one
    /// against the last it signed.
    ///
    /// # Errors
    /// [`CheckpointError::Foreign`] unless a key has the origin's name, [`CheckpointError::Note`] if
    /// there are too many.
    pub fn sign(&self, keys: &[&SignerKey]) -> Result<Note, CheckpointError> {
        self.check_signed_by_origin(keys.iter().map(|key| key.verifier()))?;
        Ok(Note::sign(&self.to_string(), keys)?)
    }

    /// Reads a signed checkpoint and checks its signatures.
    ///
    /// # Errors
    /// [`CheckpointError`]: the form, [`CheckpointError::Trust`], or [`CheckpointError::Foreign`] if
    /// none of the trusted signers has the name of its origin. So the key of one log vouches for no
    /// other log.
    pub fn open(note: &str, trusted: &TrustedKeys) -> Result<OpenedCheckpoint, CheckpointError> {
        let note: Note = note.parse()?;
        let signers: Vec<VerifierKey> = trusted.check(&note)?.into_iter().cloned().collect();
        let checkpoint: Self = note.text().parse()?;
        checkpoint.check_signed_by_origin(&signers)?;
        Ok(OpenedCheckpoint {
            checkpoint,
            signers,
        })
    }

    /// Returns which log it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the size and root it promises.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the lines after its three, which this log does not write.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    fn check_signed_by_origin<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<(), CheckpointError> {
        if keys.into_iter().any(|key| key.name() == self.origin) {
            return Ok(());
        }
        Err(CheckpointError::Foreign {
            origin: self.origin.clone(),
        })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.head.root.as_bytes());
        writeln!(f, "{}\n{}\n{root}", self.origin, self.head.size)?;
        self.extensions
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Lines);
        }
        if extensions.len() > EXTENSIONS_MAX {
            return Err(CheckpointError::Extensions {
                found: extensions.len() as u64,
                max: EXTENSIONS_MAX as u64,
            });
        }
        let head = Head {
            size: parse_size(size)?,
            root: parse_root(root)?,
        };
        Ok(Self {
            extensions,
            ..Self::new(origin, head)?
        })
    }
}

/// Reads a decimal number that has only one text.
fn parse_size(text: &str) -> Result<u64, CheckpointError> {
    let no_size = || CheckpointError::Size {
        text: text.chars().take(24).collect(),
    };
    let size: u64 = text.parse().map_err(|_| no_size())?;
    if size.to_string() != text {
        return Err(no_size());
    }
    Ok(size)
}

fn parse_root(text: &str) -> Result<Hash, CheckpointError> {
    let bytes = STANDARD.decode(text).map_err(|_| CheckpointError::Root)?;
    Hash::from_slice(&bytes).ok_or(CheckpointError::Root)
}
