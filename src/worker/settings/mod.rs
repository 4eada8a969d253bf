//! Limits and time-outs of a worker, and the check that they fit together.

pub mod retry_policy;
pub mod time_outs;

use std::time::Duration;

use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::domain::kernel::retry::RetryPolicy;
use crate::env::Env;
use crate::worker::settings::time_outs::Doubts;

/// Limits and time-outs.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// How long a claim lasts.
    pub lease: Duration,
    /// How long one attempt may take, all its calls together. Shorter than the lease by a margin, so that nobody else
    /// can hold the job while an attempt is still under way.
    pub attempt: Duration,
    /// The pace of the lane that calls nobody. The gateways state their own.
    pub inside: Pace,
    /// How long a lane may take to come round before this process says that it is not ready.
    pub stalled_after: Duration,
    /// How often the sweeper looks.
    pub sweep: Duration,
    /// How often what is old is forgotten.
    pub housekeeping: Duration,
    /// How failed jobs are repeated.
    pub retry: RetryPolicy,
    /// How what nobody told of is cleared up.
    pub doubts: Doubts,
    /// How long overdue a job must be in a lane that no worker has, before it is ended without its gateway.
    pub abandoned_after: Duration,
    /// How often a parcel's way is asked for.
    pub track_every: Duration,
    /// How long an order that exists may stay without a waybill before people are asked to look.
    pub waybill_within: Duration,
}

/// What PostgreSQL bears beside everything else.
const INSIDE: PaceNames =
    PaceNames { rate: "SONGDA_INSIDE_RATE", default_rate: "5000", slots: "SONGDA_INSIDE_SLOTS", default_slots: "64" };

/// The part of a lease that is left for settling when an attempt takes as long as it may.
const MARGIN: Duration = Duration::from_secs(2);

/// How many calls one attempt may make: clear up what is unclear, act, and act once more without a part that was refused.
const CALLS: u32 = 3;

impl WorkerSettings {
    /// How long a claimed job may wait for a slot. Then an attempt at its longest still ends a second before the lease.
    #[must_use]
    pub fn wait_for_slot(&self) -> Duration {
        self.lease.saturating_sub(self.attempt + MARGIN / 2)
    }

    /// Refuses a gateway whose calls may take longer than an attempt at a job has time for: then attempts would be broken
    /// off in the middle, and nobody would know what they did, however well the gateway answers.
    pub fn check_time_limit(&self, env: &mut Env, gateway: &str, limit: Duration) {
        if limit * CALLS > self.attempt {
            let (limit, attempt) = (limit.as_millis(), self.attempt.as_millis());
            env.fault(format!(
                "one call to {gateway} may take {limit} ms, and SONGDA_ATTEMPT_TIMEOUT, {attempt} ms, has no time for \
                 {CALLS} of them: shorten SONGDA_{}_TIMEOUT, or lengthen it and SONGDA_LEASE",
                gateway.to_uppercase()
            ));
        }
    }

    /// Reads the settings, and refuses those that would let two workers do one job at once.
    pub fn read(env: &mut Env) -> Option<Self> {
        let lease = env.duration("SONGDA_LEASE", "14s", "how long a worker holds a job before others may take it over");
        let attempt = env.duration(
            "SONGDA_ATTEMPT_TIMEOUT",
            "12s",
            "how long one attempt at a job may take: at least 2s less than the lease, and three calls to any gateway",
        );
        let inside = Pace::read(env, &INSIDE);
        let stalled_after = env.duration(
            "SONGDA_STALLED_AFTER",
            "10s",
            "how long a lane may take to come round before `/readyz` says that this worker is stuck",
        );
        let sweep = env.duration("SONGDA_SWEEP", "200ms", "how often due jobs are looked for whose ring was lost");
        let housekeeping = env.duration("SONGDA_HOUSEKEEPING", "1h", "how often what served its purpose is forgotten");
        let (retry, doubts) = (retry(env), Doubts::read(env));
        let abandoned_after = env.duration(
            "SONGDA_ABANDONED_AFTER",
            "10m",
            "how long overdue a job must be in a lane that no worker has, before it is ended without its gateway",
        );
        let track_every = env.duration(
            "SONGDA_TRACK_EVERY",
            "2h",
            "how often a parcel's way is asked for beside the carrier's own calls",
        );
        let waybill_within = env.duration(
            "SONGDA_WAYBILL_WITHIN",
            "3d",
            "how long a carrier that has an order may leave its waybill untold before that is a dead letter",
        );
        let settings = Self {
            lease: lease?,
            attempt: attempt?,
            inside: inside?,
            stalled_after: stalled_after?,
            sweep: sweep?,
            housekeeping: housekeeping?,
            retry: retry?,
            doubts: doubts?,
            abandoned_after: abandoned_after?,
            track_every: track_every?,
            waybill_within: waybill_within?,
        };
        if settings.attempt + MARGIN > settings.lease {
            env.fault("SONGDA_ATTEMPT_TIMEOUT must be at least 2s shorter than SONGDA_LEASE: a slow attempt would be taken over while it is under way");
        }
        Some(settings)
    }
}

fn retry(env: &mut Env) -> Option<RetryPolicy> {
    let first = env.duration(
        "SONGDA_RETRY_FIRST",
        "1s",
        "upper bound of the wait before the first repetition; it doubles from there",
    );
    let longest = env.duration("SONGDA_RETRY_LONGEST", "15m", "upper bound of any wait before a repetition");
    let attempts =
        env.or("SONGDA_RETRY_ATTEMPTS", "200", "how many attempts are made at a job before it is a dead letter");
    let age = env.duration(
        "SONGDA_RETRY_AGE",
        "30h",
        "how old a job may grow before it is a dead letter: longer than a day, so that it outlives a day's quota",
    );
    Some(RetryPolicy { first: first?, longest: longest?, attempts: attempts?, age: age? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsafe_pair_is_refused() {
        let mut env = Env::of([("SONGDA_LEASE", "10s"), ("SONGDA_ATTEMPT_TIMEOUT", "10s")]);
        WorkerSettings::read(&mut env);
        assert_eq!(env.faults().len(), 1);
        let mut env = Env::of([("SONGDA_LEASE", "12s"), ("SONGDA_ATTEMPT_TIMEOUT", "10s")]);
        WorkerSettings::read(&mut env);
        assert!(env.faults().is_empty(), "{:?}", env.faults());
    }

    #[test]
    fn a_gateway_that_may_take_as_long_as_an_attempt_is_refused() {
        let mut env = Env::of([("SONGDA_LEASE", "12s"), ("SONGDA_ATTEMPT_TIMEOUT", "9s")]);
        let settings = WorkerSettings::read(&mut env).unwrap();
        settings.check_time_limit(&mut env, "sf", Duration::from_secs(3));
        assert!(env.faults().is_empty(), "{:?}", env.faults());
        settings.check_time_limit(&mut env, "sms_aliyun", Duration::from_secs(9));
        assert!(matches!(env.faults(), [one] if one.contains("SONGDA_SMS_ALIYUN_TIMEOUT")), "{:?}", env.faults());
    }
}
