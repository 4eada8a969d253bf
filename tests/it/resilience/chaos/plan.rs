//! How much trouble is made: a little in the tests, and as much as the arguments of `script/chaos` say.

use std::time::Duration;

use songda::demo::fresh_key;

/// The environment variable with the arguments of `script/chaos`.
const ARGUMENTS: &str = "SONGDA_CHAOS";

/// How much trouble is made, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed of all randomness.
    pub seed: u64,
    /// How many faults must take effect.
    pub faults: u64,
    /// How many processes must die at each step of processing a job.
    pub kills: u64,
    /// How long trouble is made at least.
    pub at_least: Duration,
    /// How long trouble is made at most.
    pub at_most: Duration,
    /// How many decisions are reported a second while nothing fails.
    pub rate: u32,
    /// The time within which all messages and parcels must arrive after the trouble has ended.
    pub drain_within: Duration,
    /// True if the run is long enough for the waits of minutes that some gateways demand.
    pub has_time: bool,
    /// True if times of recovery are measured.
    pub measures: bool,
    /// The name of the servers' folder in `var/`, and of the report's folder in `target/chaos/`.
    pub name: &'static str,
    /// Settings that differ from production.
    pub settings: &'static [(&'static str, &'static str)],
}

/// Settings of `script/chaos`. Parcels move quickly. A gateway is asked about a call of unknown outcome after the same
/// time as in production.
const LONG: [(&str, &str); 7] = [
    ("SONGDA_ABSENT_FOR", "60s"),
    ("SONGDA_MESSAGE_ABSENT_FOR", "2m"),
    ("SONGDA_TRACK_EVERY", "15s"),
    ("SONGDA_RETRY_LONGEST", "30s"),
    ("SONGDA_CONFIRM_WITHIN", "2m"),
    ("SONGDA_SANDBOX_STEP", "8s"),
    ("SONGDA_SANDBOX_TIME_SCALE", "3"),
];

/// Settings of the tests: as [`LONG`], with leases that expire within a test. A proxy can hold a request back for six
/// seconds, so an order that a carrier does not know counts as absent only after eight.
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
    /// Returns the plan that the arguments of `script/chaos` describe. Without them, returns the short plan of the
    /// tests.
    pub fn from_arguments() -> Self {
        match std::env::var(ARGUMENTS) {
            Ok(arguments) => arguments.split_whitespace().fold(Self::long(), Self::with),
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
            drain_within: Duration::from_secs(60),
            has_time: false,
            measures: false,
            name: "test-chaos",
            settings: &SHORT,
        }
    }

    fn long() -> Self {
        Self {
            faults: 10_000,
            kills: 200,
            at_least: Duration::from_secs(60),
            at_most: Duration::from_secs(90 * 60),
            rate: 15,
            drain_within: Duration::from_secs(900),
            has_time: true,
            measures: true,
            name: "chaos",
            settings: &LONG,
            ..Self::short()
        }
    }

    fn with(self, argument: &str) -> Self {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{name} wants a number, as in {name}=1"));
        match name {
            "--seed" => Self { seed: number(), ..self },
            "--faults" => Self { faults: number(), ..self },
            "--kills" => Self { kills: number(), ..self },
            "--minutes" => Self { at_most: Duration::from_secs(60 * number()), ..self },
            "--rate" => Self { rate: u32::try_from(number()).unwrap(), ..self },
            "--no-probes" => Self { measures: false, ..self },
            _ => panic!("{argument}: known are --seed=N --faults=N --kills=N --minutes=N --rate=N --no-probes"),
        }
    }
}

fn fresh_seed() -> u64 {
    fresh_key().bytes().fold(0, |seed, byte| seed << 5 ^ u64::from(byte)) % 1_000_000
}
