//! Why a component is refused before it is compiled.

use thiserror::Error;

use crate::text;

/// Why a component is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// No bytes.
    #[error("the component is empty")]
    Empty,
    /// Too many bytes.
    #[error("the component has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Compiled code, which could do anything.
    #[error("this is compiled machine code: send the WebAssembly component")]
    Precompiled,
    /// Not a component.
    #[error(
        "this is {found}, not a WebAssembly component: build it with `cargo xtask plugins`, \
             or turn the core module into a component with wit-component"
    )]
    NotComponent {
        /// What it is.
        found: &'static str,
    },
    /// Not a valid component.
    #[error("the component is malformed at byte {offset}: {detail}")]
    Malformed {
        /// Where.
        offset: u64,
        /// What the parser said.
        detail: String,
    },
    /// It wants something the sandbox does not have.
    #[error("the component imports {}; a plugin may import aureole:circuit/log@0.1 only",
            names.join(", "))]
    ImportDenied {
        /// The imports that are not allowed, at most eight.
        names: Vec<String>,
    },
    /// It does not export the contract.
    #[error("the component does not export aureole:circuit/plugin@0.1: {detail}")]
    WorldMismatch {
        /// What it exports instead.
        detail: String,
    },
    /// Compiling it would cost too much.
    #[error("the component is too complex: {value} {item}, {limit} are allowed")]
    TooComplex {
        /// What is counted.
        item: &'static str,
        /// How many there are, or more.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// It asks for too much from the start.
    #[error("the component asks for {value} {item}, {limit} are allowed")]
    Limits {
        /// What is asked for.
        item: &'static str,
        /// How much.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// It uses an extension of WebAssembly that the sandbox has switched off.
    #[error("the component uses a WebAssembly feature that is off here: {detail}")]
    FeatureDenied {
        /// What the validator said.
        detail: String,
    },
}

// === impl ScanError ===

impl ScanError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "plugin.empty",
            Self::TooLarge { .. } => "plugin.too_large",
            Self::Precompiled => "plugin.precompiled_rejected",
            Self::NotComponent { .. } => "plugin.not_component",
            Self::Malformed { .. } => "plugin.malformed",
            Self::ImportDenied { .. } => "plugin.import_denied",
            Self::WorldMismatch { .. } => "plugin.world_mismatch",
            Self::TooComplex { .. } => "plugin.too_complex",
            Self::Limits { .. } => "plugin.limits",
            Self::FeatureDenied { .. } => "plugin.feature_denied",
        }
    }
}

impl From<wasmparser::BinaryReaderError> for ScanError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed {
            offset: super::offset(&error),
            detail: refusal_of(&error),
        }
    }
}

/// The validator's words, which may quote names out of the component.
pub(super) fn refusal_of(error: &wasmparser::BinaryReaderError) -> String {
    text::sanitise_to(error.message(), 256)
}
