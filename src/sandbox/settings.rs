//! The sandbox's settings. Each twin reads its own keys in its own folder; the defaults are synthetic, and good for
//! nothing but the sandbox.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::{Maker, Twin};
use crate::domain::kernel::clock::Clock;
use crate::env::Env;

/// When parcels move on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// By one scan each time.
    Every(Duration),
    /// Only when told to.
    Manual,
}

impl FromStr for Pace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "manual" {
            return Ok(Self::Manual);
        }
        let (number, unit) = text.strip_suffix("ms").map_or((text.strip_suffix('s'), 1_000), |ms| (Some(ms), 1));
        let count: u64 = number.ok_or(())?.parse().map_err(|_| ())?;
        if count == 0 {
            return Err(());
        }
        Ok(Self::Every(Duration::from_millis(count.saturating_mul(unit))))
    }
}

/// What the sandbox is made of.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// When parcels move on.
    pub pace: Pace,
    /// How many seconds of a gateway's waiting before a repeated callback pass in one real second.
    pub time_scale: u32,
    /// Scheme, host and port of the Songda that is called back; nobody is called while it is not known.
    pub callback_url: Option<Url>,
    /// What the time is; signatures are judged by it.
    pub clock: Clock,
    /// The gateways that are played.
    pub twins: Vec<Arc<dyn Twin>>,
}

impl Settings {
    /// Reads the settings, those of all twins included.
    pub fn read(env: &mut Env, twins: &[Maker]) -> Option<Self> {
        let listen = env.or("SONGDA_SANDBOX_LISTEN", "127.0.0.1:8090", "address and port that the sandbox listens on");
        let pace =
            env.or("SONGDA_SANDBOX_STEP", "2s", "time between two scans of a parcel, or `manual`: only when told to");
        let time_scale =
            env.or("SONGDA_SANDBOX_TIME_SCALE", "60", "how much faster callbacks are repeated than in life");
        let callback_url = env.optional("SONGDA_SANDBOX_CALLBACK_URL", "base URL of the Songda that is called back");
        let twins: Vec<_> = twins.iter().map(|make| make(env)).collect();
        let twins = twins.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self {
            listen: listen?,
            pace: pace?,
            time_scale: time_scale?,
            callback_url,
            clock: Clock::system(),
            twins,
        })
    }

    /// What a test with these twins starts from: synthetic keys, parcels that move only when told to, repeats without waiting.
    ///
    /// # Panics
    /// Never: the defaults are valid.
    #[must_use]
    pub fn for_tests(twins: &[Maker]) -> Self {
        let given = [("SONGDA_SANDBOX_STEP", "manual"), ("SONGDA_SANDBOX_TIME_SCALE", "4000000000")];
        Self::read(&mut Env::of(given), twins).unwrap_or_else(|| unreachable!("the defaults are valid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_time_or_manual() {
        assert_eq!("2s".parse(), Ok(Pace::Every(Duration::from_secs(2))));
        assert_eq!("50ms".parse(), Ok(Pace::Every(Duration::from_millis(50))));
        assert_eq!("manual".parse(), Ok(Pace::Manual));
        assert!("0s".parse::<Pace>().is_err() && "fast".parse::<Pace>().is_err());
    }

    #[test]
    fn the_defaults_are_whole() {
        let mut env = Env::of([("SONGDA_SANDBOX_STEP", "2s")]);
        assert!(Settings::read(&mut env, &[]).is_some(), "{:?}", env.faults());
    }
}
