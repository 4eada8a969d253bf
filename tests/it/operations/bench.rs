//! `script/bench --against` measures two programs in five rounds, divides the figure of one by the figure of the other
//! in each round, and judges by these five ratios. A difference within the noise is never judged "slower", and a
//! slowdown beyond the noise always is.

#[path = "../../../benches/statistics.rs"]
mod statistics;
#[path = "../../../benches/verdict.rs"]
mod verdict;

use statistics::{median, range, ratios, spread};
use verdict::{Basis, Better, LIMIT, Verdict, judge};

#[test]
fn the_median_is_the_middle_value() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    assert!(median(&[]).is_nan());
}

#[test]
fn the_spread_is_relative_to_the_median() {
    assert_eq!(range(&[2.0, 1.0, 4.0]), Some((1.0, 4.0)));
    assert_eq!(range(&[]), None);
    assert!((spread(&[99.0, 100.0, 102.0]) - 0.03).abs() < 1e-9);
    assert!(spread(&[1.0]).is_infinite(), "one round does not tell how noisy the machine is");
}

#[test]
fn a_ratio_is_taken_inside_its_round() {
    // The machine halves its speed between the rounds. The ratios do not change.
    let base = [1_000.0, 500.0, 1_000.0];
    let new = [900.0, 450.0, 900.0];
    assert_eq!(ratios(&new, &base), [0.9, 0.9, 0.9]);
    assert_eq!(judge(&ratios(&new, &base), Better::Higher, None), (Verdict::Slower, Basis::Values));
}

#[test]
fn a_narrow_spread_lets_the_median_decide() {
    let verdict = |ratios: &[f64], better| judge(ratios, better, Some(&[1.5, 1.5, 1.5])).0;
    assert_eq!(verdict(&[0.975, 0.98, 0.985, 0.99, 1.0], Better::Higher), Verdict::Same);
    assert_eq!(verdict(&[0.95, 0.955, 0.96, 0.965, 0.97], Better::Higher), Verdict::Slower);
    assert_eq!(verdict(&[0.95, 0.955, 0.96, 0.965, 0.97], Better::Lower), Verdict::Faster);
    assert_eq!(verdict(&[1.03, 1.04, 1.04, 1.05, 1.05], Better::Higher), Verdict::Faster);
    assert_eq!(verdict(&[1.03, 1.04, 1.04, 1.05, 1.05], Better::Lower), Verdict::Slower);
}

#[test]
fn the_limit_itself_is_allowed() {
    let at_the_limit = 1.0 - LIMIT + 1e-9;
    assert_eq!(judge(&[at_the_limit; 5], Better::Higher, None).0, Verdict::Same);
    assert_eq!(judge(&[at_the_limit - 0.001; 5], Better::Higher, None).0, Verdict::Slower);
}

#[test]
fn a_wide_spread_lets_processor_time_decide() {
    let noisy = [0.88, 0.94, 0.95, 1.03, 1.05];
    let judged = |processor: &[f64]| judge(&noisy, Better::Higher, Some(processor));
    assert_eq!(judged(&[0.99, 1.0, 1.0, 1.01, 1.01]), (Verdict::Same, Basis::ProcessorTime));
    assert_eq!(judged(&[1.04, 1.05, 1.05, 1.06, 1.06]), (Verdict::Slower, Basis::ProcessorTime));
    assert_eq!(judged(&[0.93, 0.94, 0.94, 0.95, 0.95]), (Verdict::Faster, Basis::ProcessorTime));
}

#[test]
fn noise_on_both_measures_is_unclear() {
    let noisy = [0.88, 0.94, 0.95, 1.03, 1.05];
    assert_eq!(judge(&noisy, Better::Higher, Some(&noisy)).0, Verdict::Unclear);
    assert_eq!(judge(&noisy, Better::Higher, None).0, Verdict::Unclear);
}

/// A program that is slower because it sleeps takes no more processor time, so only the measured values can show it.
#[test]
fn a_difference_far_beyond_the_spread_counts_whatever_the_processor_time() {
    let halved = [0.46, 0.48, 0.5, 0.51, 0.53];
    assert_eq!(judge(&halved, Better::Higher, Some(&[1.0; 5])), (Verdict::Slower, Basis::Values));
    let hardly = [0.9, 0.93, 0.94, 0.95, 0.96];
    assert_eq!(judge(&hardly, Better::Higher, Some(&[1.0; 5])), (Verdict::Same, Basis::ProcessorTime));
}

#[test]
fn one_round_is_never_enough() {
    assert_eq!(judge(&[0.5], Better::Higher, Some(&[2.0])).0, Verdict::Unclear);
}

#[test]
fn a_verdict_and_its_basis_are_readable() {
    let verdicts = [Verdict::Same, Verdict::Faster, Verdict::Slower, Verdict::Unclear];
    assert_eq!(verdicts.map(|verdict| verdict.to_string()), ["same", "faster", "slower", "unclear"]);
    let bases = [Basis::Values, Basis::ProcessorTime, Basis::Bound];
    assert_eq!(bases.map(|basis| basis.to_string()), ["values", "processor time", "bound"]);
}
