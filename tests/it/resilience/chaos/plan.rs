//! How much is to be done: a little in every test run, and as much as was ordered by `script/chaos`.

use std::time::Duration;

use songda::demo::fresh_key;

/// The orders of `script/chaos`, as it was called.
const ORDERS: &str = "SONGDA_CHAOS";

/// How much trouble, for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What everything that is random is drawn from.
    pub seed: u64,
    /// How many faults must have struck.
    pub faults: u64,
    /// How often a process must have been killed at each step.
    pub kills: u64,
    /// How long trouble is made at least, in a short run.
    pub at_least: Duration,
    /// When to stop, whatever was reached.
    pub at_most: Duration,
    /// How many decisions are handed in a second, in good times.
    pub rate: u32,
    /// How long the last of them may take to arrive, once all is well.
    pub patience: Duration,
    /// Whether there is time to wait for minutes, as some gateways demand.
    pub has_time: bool,
    /// Whether times of recovery are measured.
    pub measures: bool,
    /// The name under which servers run and the report is kept.
    pub name: &'static str,
    /// What differs from the settings of production.
    pub settings: &'static [(&'static str, &'static str)],
}

/// Nobody slows the load down, parcels arrive while one looks on, and doubt waits as in production.
const LONG: [(&str, &str); 7] = [
    ("SONGDA_ABSENT_FOR", "60s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "2m"),
    ("SONGDA_TRACK_EVERY", "15s"),
    ("SONGDA_RETRY_LONGEST", "30s"),
    ("SONGDA_CONFIRM_WITHIN", "2m"),
    ("SONGDA_SANDBOX_STEP", "8s"),
    ("SONGDA_SANDBOX_TIME_SCALE", "3"),
];

/// The same, and leases end before a test does. A line keeps a request back for six seconds, and what a carrier says that it
/// does not know must not be on its way any more.
const SHORT: [(&str, &str); 15] = [
    ("SONGDA_TRACK_EVERY", "2s"),
    ("SONGDA_RETRY_LONGEST", "2s"),
    ("SONGDA_LEASE", "4s"),
    ("SONGDA_ATTEMPT_TIMEOUT", "2s"),
    ("SONGDA_WECHAT_TIMEOUT", "600ms"),
    ("SONGDA_SMS_ALIYUN_TIMEOUT", "600ms"),
    ("SONGDA_EMS_TIMEOUT", "600ms"),
    ("SONGDA_SF_TIMEOUT", "600ms"),
    ("SONGDA_CLEAR_UP_AFTER", "100ms"),
    ("SONGDA_ABSENT_FOR", "8s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "1s"),
    ("SONGDA_RECEIPT_WITHIN", "3s"),
    ("SONGDA_CONFIRM_WITHIN", "10s"),
    ("SONGDA_RETRY_FIRST", "100ms"),
    ("SONGDA_SANDBOX_TIME_SCALE", "60"),
];

impl Plan {
    /// What was ordered; or the short run.
    pub fn ordered() -> Self {
        match std::env::var(ORDERS) {
            Ok(orders) => orders.split_whitespace().fold(Self::long(), Self::with),
            Err(_) => Self::short(),
        }
    }

    fn short() -> Self {
        Self {
            seed: fresh_seed(),
            faults: 100,
            kills: 1,
            at_least: Duration::from_secs(8),
            at_most: Duration::from_secs(15),
            rate: 12,
            patience: Duration::from_secs(60),
            has_time: false,
            measures: false,
            name: "test-chaos",
            settings: &SHORT,
        }
    }

    fn long() -> Self {
        let (at_least, at_most) = (Duration::from_secs(60), Duration::from_secs(90 * 60));
        let (patience, settings) = (Duration::from_secs(900), &LONG);
        let (faults, kills, rate, has_time, measures) = (10_000, 200, 15, true, true);
        Self {
            faults,
            kills,
            at_least,
            at_most,
            rate,
            patience,
            has_time,
            measures,
            name: "chaos",
            settings,
            ..Self::short()
        }
    }

    fn with(self, order: &str) -> Self {
        let (name, value) = order.split_once('=').unwrap_or((order, ""));
        let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} wants a number, as in {name}=1"));
        match name {
            "--seed" => Self { seed: number(), ..self },
            "--faults" => Self { faults: number(), ..self },
            "--kills" => Self { kills: number(), ..self },
            "--minutes" => Self { at_most: Duration::from_secs(60 * number()), ..self },
            "--rate" => Self { rate: u32::try_from(number()).unwrap(), ..self },
            "--no-probes" => Self { measures: false, ..self },
            _ => panic!("{order}? Known are --seed=N --faults=N --kills=N --minutes=N --rate=N --no-probes"),
        }
    }
}

fn fresh_seed() -> u64 {
    fresh_key().bytes().fold(0, |seed, byte| seed << 5 ^ u64::from(byte)) % 1_000_000
}
