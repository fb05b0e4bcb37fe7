//! Medians, percentiles and how far the runs lie apart.

/// The value that so many per cent of the values do not pass: the nearest rank.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent * sorted.len()).div_ceil(100);
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The middle value.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The largest value.
pub(crate) fn largest(values: &[f64]) -> f64 {
    percentile(values, 100)
}

/// The distance from the smallest to the largest value as a part of the median: how noisy the figure is.
pub(crate) fn spread(values: &[f64]) -> f64 {
    (largest(values) - percentile(values, 0)) / median(values)
}
