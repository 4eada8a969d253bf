//! The statistics of measured values. Pure functions, because tests/it includes this file.

/// Returns the median; NaN if there are no values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Returns the least and the greatest value, if there are any.
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some((least, greatest))
}

/// Returns the distance from the least value to the greatest one, as a share of the median. The spread of a single
/// value is unknown, so infinity is returned.
pub fn spread(values: &[f64]) -> f64 {
    match range(values) {
        Some((least, greatest)) if values.len() > 1 => (greatest - least) / median(values),
        _ => f64::INFINITY,
    }
}

/// Returns each value divided by its counterpart in `beside`, which was measured right before or after it.
pub fn ratios(values: &[f64], beside: &[f64]) -> Vec<f64> {
    values.iter().zip(beside).map(|(value, beside)| value / beside).collect()
}
