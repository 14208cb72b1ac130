//! A record that copies of the facts share until one of them changes it.
//!
//! A snapshot begins with a copy of the facts, during which nothing is applied: it is a list of pointers.
//! The map's nodes hold pointers too, so that finding a record walks through little memory.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A record. Written and compared as the record itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared<T>(Arc<T>);

// === impl Shared ===

impl<T: Clone> Shared<T> {
    /// The record, to be changed; copied first if another copy of the facts has it too.
    pub(crate) fn to_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(record: T) -> Self {
        Self(Arc::new(record))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}
