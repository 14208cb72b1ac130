//! Async client of an Aureole node.
