//! Compares another server's clock with this machine's. Job leases use only PostgreSQL's clock, and rate limits only
//! Redis's clock, so both tolerate any difference. But if this machine's clock is minutes off, gateways refuse our
//! signatures, and we refuse the assertions of API clients.

use chrono::TimeDelta;
use songda::domain::kernel::clock::Instant;

use super::finding::Finding;

/// Up to this difference the two clocks count as equal.
const UNNOTICED: TimeDelta = TimeDelta::seconds(1);
/// Up to this difference all parts of Songda still work, so the finding is a warning. If the difference is larger, the
/// finding is a fault.
const BEARABLE: TimeDelta = TimeDelta::seconds(30);

/// Compares two clocks. `theirs` is the time that the server read from its clock. On this machine's clock, it was read
/// at some time between `asked` and `answered`.
pub fn compare(group: &'static str, asked: Instant, theirs: Instant, answered: Instant) -> Finding {
    let ahead = (theirs - answered).max(TimeDelta::zero());
    let behind = (asked - theirs).max(TimeDelta::zero());
    let apart = ahead.max(behind);
    if apart <= UNNOTICED {
        return Finding::ok(group, "clock", "its clock agrees with this machine's clock");
    }
    let direction = if ahead > behind { "ahead of" } else { "behind" };
    let what =
        format!("its clock is {:.1} s {direction} this machine's clock", apart.num_milliseconds() as f64 / 1000.0);
    let advice = "set both machines to the same time servers (chrony, systemd-timesyncd)";
    if apart <= BEARABLE {
        Finding::warning(group, "clock", what, advice)
    } else {
        Finding::fault(group, "clock", what, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_answer_is_not_taken_for_a_wrong_clock() {
        let noon: Instant = "2026-01-02T04:00:00Z".parse().unwrap();
        let after = |seconds| noon + TimeDelta::seconds(seconds);
        let state = |theirs, answered| compare("redis", noon, after(theirs), after(answered)).state_word();
        assert_eq!(state(8, 9), "ok");
        assert_eq!(state(-1, 0), "ok");
        assert_eq!(state(-2, 0), "warning");
        assert_eq!(state(12, 2), "warning");
        assert_eq!(state(-31, 9), "fault");
    }
}
