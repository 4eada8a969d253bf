//! Settings that all twins (simulated gateways) share.

use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;

/// How often parcels get their next scan (the carrier's next report about them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    Every(Duration),
    /// Parcels get their next scan only on request, through the control API.
    Manual,
}

impl FromStr for Movement {
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

#[derive(Clone)]
pub struct WorldSettings {
    pub movement: Movement,
    /// The wait before each try of a callback is divided by this number.
    pub time_scale: u32,
    /// The base URL of the Songda that is called back. Without it, callbacks are dropped.
    pub callback_url: Option<Url>,
    /// The secret of every callback path. `None` if each gateway has its own.
    pub callback_secret: Option<Private<String>>,
    /// The clock against which twins check the dates of signed calls.
    pub clock: Clock,
}

impl WorldSettings {
    pub(super) fn read(env: &mut Env) -> Option<Self> {
        let movement =
            env.or("SONGDA_SANDBOX_STEP", "2s", "time between two scans of a parcel, or `manual`: only on request");
        let time_scale =
            env.or("SONGDA_SANDBOX_TIME_SCALE", "60", "how much faster callbacks are repeated than in life");
        let callback_url = env.optional("SONGDA_SANDBOX_CALLBACK_URL", "base URL of the Songda that is called back");
        let callback_secret: Option<String> = env.optional(
            "SONGDA_SANDBOX_CALLBACK_SECRET",
            "secret last part of all paths on which Songda is called back; not set: each gateway has its own",
        );
        Some(Self {
            movement: movement?,
            time_scale: time_scale?,
            callback_url,
            callback_secret: callback_secret.map(Private::new),
            clock: Clock::system(),
        })
    }
}

impl WorldSettings {
    /// The secret last part of the path on which Songda is called back in the name of a gateway.
    pub fn callback_secret(&self, gateway: &str) -> String {
        let own = || format!("sandbox-{gateway}-callbacks-0123456789abcdef");
        self.callback_secret.as_ref().map_or_else(own, |secret| secret.expose().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_movement_is_an_interval_or_manual() {
        assert_eq!("2s".parse(), Ok(Movement::Every(Duration::from_secs(2))));
        assert_eq!("50ms".parse(), Ok(Movement::Every(Duration::from_millis(50))));
        assert_eq!("manual".parse(), Ok(Movement::Manual));
        assert!("0s".parse::<Movement>().is_err() && "fast".parse::<Movement>().is_err());
    }
}
