//! A family with one label whose values are words of the code: each has its place before anybody
//! counts, so that counting is an addition, and every series stands at zero from the start.

use prometheus::core::{MetricVec, MetricVecBuilder};

/// The series of a family by their words, of which there are few.
#[derive(Debug)]
pub(super) struct Words<M>(Vec<(&'static str, M)>);

// === impl Words ===

impl<M> Words<M> {
    pub(super) fn new<B>(family: &MetricVec<B>, words: &[&'static str]) -> Self
    where
        B: MetricVecBuilder<M = M>,
    {
        let series = words.iter();
        let series = series.map(|word| (*word, family.with_label_values(&[*word])));
        Self(series.collect())
    }

    /// The series of a word; what is not one of the words has none.
    pub(super) fn get(&self, word: &str) -> Option<&M> {
        let found = self.0.iter().find(|(known, _)| *known == word);
        found.map(|(_, series)| series)
    }
}
