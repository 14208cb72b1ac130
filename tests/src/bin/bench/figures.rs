//! Figures out of many measurements.

use anyhow::Context as _;

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> anyhow::Result<f64> {
    let (lower, upper) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    Ok(f64::midpoint(nth(values, lower)?, nth(values, upper)?))
}

/// The value that so many of a hundred do not pass; of fewer than a hundred values a high one is
/// the highest.
pub(crate) fn percentile(values: &[f64], hundredths: usize) -> anyhow::Result<f64> {
    let rank = (values.len() * hundredths).div_ceil(100);
    nth(values, rank.saturating_sub(1))
}

/// For people and for the line of figures: three digits after the point.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn nth(values: &[f64], index: usize) -> anyhow::Result<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(index).copied().context("nothing was measured")
}
