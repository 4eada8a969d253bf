//! The time limits of attempts, and the waits after attempts whose outcome is unknown. [`TimeOuts::read`] explains each
//! setting.

use std::time::Duration;

use crate::domain::work::doubt::Waits;
use crate::env::Env;

#[derive(Debug, Clone)]
pub struct TimeOuts {
    /// How long a worker's claim of a job is valid. Longer than `attempt` by a margin, so that no other worker can hold
    /// the job while an attempt is under way.
    pub lease: Duration,
    /// The time limit of one attempt, with all its database statements and gateway calls.
    pub attempt: Duration,
    pub clear_up_after: Duration,
    pub absent_for: Duration,
    pub message_absent_for: Duration,
    pub receipt_within: Duration,
    pub confirm_within: Duration,
    pub waybill_within: Duration,
}

/// The part of a lease that is left for settling after the longest possible attempt.
const MARGIN: Duration = Duration::from_secs(2);

/// The maximum number of gateway calls in one attempt: look up an earlier attempt, send, and send again without a
/// refused part.
const CALLS: u32 = 3;

/// The part of an attempt that is left for the copy of a picture after the longest answer of the malware scanner.
const ENCODING: Duration = Duration::from_secs(4);

impl TimeOuts {
    /// The maximum time that a claimed job waits for a slot (the right to make an attempt). After this wait, even the
    /// longest attempt still ends a second before the lease.
    pub fn wait_for_slot(&self) -> Duration {
        self.lease.saturating_sub(self.attempt + MARGIN / 2)
    }

    pub const fn waits(&self) -> Waits {
        Waits { receipt: self.receipt_within, confirmation: self.confirm_within }
    }

    /// Refuses a gateway's time limit for one call if the calls of one attempt together could exceed the time limit of
    /// the attempt. Such an attempt would be broken off with an unknown outcome, although the gateway answers in time.
    pub fn check_time_limit(&self, env: &mut Env, gateway: &str, limit: Duration) {
        if limit * CALLS > self.attempt {
            let limit = limit.as_millis();
            let attempt = self.attempt.as_millis();
            env.fault(format!(
                "one call to {gateway} may take {limit} ms, and SONGDA_ATTEMPT_TIMEOUT, {attempt} ms, has no time for \
                 {CALLS} of them: shorten SONGDA_{}_TIMEOUT, or lengthen it and SONGDA_LEASE",
                gateway.to_uppercase()
            ));
        }
    }

    /// Refuses a time limit of the malware scanner that leaves no time to encode a picture in the same attempt.
    pub fn check_scanner(&self, env: &mut Env, limit: Duration) {
        if limit + ENCODING > self.attempt {
            env.fault(
                "SONGDA_CLAMD_TIMEOUT must be at least 4s shorter than SONGDA_ATTEMPT_TIMEOUT: the check of a file asks \
                 clamd and then encodes the picture",
            );
        }
    }

    /// Reads the settings. Refuses a lease that is too short for an attempt, because two workers could then do one job
    /// at once.
    pub fn read(env: &mut Env) -> Option<Self> {
        let lease = env.duration("SONGDA_LEASE", "14s", "how long a worker holds a job before others may take it over");
        let meaning =
            "how long one attempt at a job may take: at least 2s less than the lease, and three calls to any gateway";
        let attempt = env.duration("SONGDA_ATTEMPT_TIMEOUT", "12s", meaning);
        let meaning = "how long after an attempt of unknown outcome the gateway is asked about it";
        let clear_up_after = env.duration("SONGDA_CLEAR_UP_AFTER", "5s", meaning);
        let meaning = "how long a carrier must report that it has no order before the same number is ordered again";
        let absent_for = env.duration("SONGDA_ABSENT_FOR", "60s", meaning);
        let meaning = "how long a channel must report that it has no message before it is sent again";
        let message_absent_for = env.duration("SONGDA_MESSAGE_ABSENT_FOR", "2m", meaning);
        let meaning = "how long the receipt of a message of unknown outcome is awaited before it is sent again";
        let receipt_within = env.duration("SONGDA_RECEIPT_WITHIN", "2m", meaning);
        let meaning =
            "how long a receipt is awaited if WeChat refuses for lack of consent after an attempt of unknown outcome";
        let confirm_within = env.duration("SONGDA_CONFIRM_WITHIN", "10m", meaning);
        let meaning = "how long an order may exist without a waybill before it becomes a dead letter";
        let waybill_within = env.duration("SONGDA_WAYBILL_WITHIN", "3d", meaning);
        let time_outs = Self {
            lease: lease?,
            attempt: attempt?,
            clear_up_after: clear_up_after?,
            absent_for: absent_for?,
            message_absent_for: message_absent_for?,
            receipt_within: receipt_within?,
            confirm_within: confirm_within?,
            waybill_within: waybill_within?,
        };
        if time_outs.attempt + MARGIN > time_outs.lease {
            env.fault(
                "SONGDA_ATTEMPT_TIMEOUT must be at least 2s shorter than SONGDA_LEASE: a slow attempt would be taken over \
                 while it is under way",
            );
        }
        Some(time_outs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_must_end_before_its_lease() {
        let mut env = Env::of([("SONGDA_LEASE", "10s"), ("SONGDA_ATTEMPT_TIMEOUT", "10s")]);
        TimeOuts::read(&mut env);
        assert_eq!(env.faults().len(), 1);
        let mut env = Env::of([("SONGDA_LEASE", "12s"), ("SONGDA_ATTEMPT_TIMEOUT", "10s")]);
        TimeOuts::read(&mut env);
        assert!(env.faults().is_empty(), "{:?}", env.faults());
    }

    #[test]
    fn an_attempt_must_have_time_for_the_scanner_and_a_picture() {
        let mut env = Env::default();
        let time_outs = TimeOuts::read(&mut env).unwrap();
        time_outs.check_scanner(&mut env, Duration::from_secs(8));
        assert!(env.faults().is_empty(), "{:?}", env.faults());
        time_outs.check_scanner(&mut env, Duration::from_secs(9));
        assert!(matches!(env.faults(), [one] if one.contains("SONGDA_CLAMD_TIMEOUT")), "{:?}", env.faults());
    }

    #[test]
    fn an_attempt_must_have_time_for_three_calls() {
        let mut env = Env::of([("SONGDA_LEASE", "12s"), ("SONGDA_ATTEMPT_TIMEOUT", "9s")]);
        let time_outs = TimeOuts::read(&mut env).unwrap();
        time_outs.check_time_limit(&mut env, "sf", Duration::from_secs(3));
        assert!(env.faults().is_empty(), "{:?}", env.faults());
        time_outs.check_time_limit(&mut env, "sms_aliyun", Duration::from_secs(9));
        assert!(matches!(env.faults(), [one] if one.contains("SONGDA_SMS_ALIYUN_TIMEOUT")), "{:?}", env.faults());
    }
}
