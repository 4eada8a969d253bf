//! HTTP callbacks from gateways to Songda. The API decides by [`CallbackAccess`] if a call may come from the gateway. If
//! the gateway signs its callbacks, the API stores an authentic one unchanged, and a worker later passes it to the
//! gateway's adapter, which interprets it. If the gateway signs nothing, a callback is only a hint.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::domain::kernel::network::{CallerAddress, Network};
use crate::domain::kernel::private::Private;
use crate::env::Env;

/// A callback as Songda received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The `Content-Type` in lower case; empty if missing.
    pub content_type: String,
    /// The query string, without `?`.
    pub query: String,
    /// May contain names and phones.
    pub body: Private<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// The signature or the encryption is wrong, or missing: nothing shows that the callback is from the gateway.
    #[error("not authentic")]
    NotAuthentic,
    /// The callback cannot be understood. If the gateway signs its callbacks, this one is authentic.
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// Songda's HTTP response to a callback, in the gateway's format. It either confirms that the callback is stored, or
/// makes the gateway repeat the callback. A response in another format also makes the gateway repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

/// The names of the settings of a gateway's callbacks.
pub struct CallbackNames {
    /// `SONGDA_<GATEWAY>_CALLBACK_SECRET`.
    pub secret: &'static str,
    /// `SONGDA_<GATEWAY>_CALLBACK_SECRET_PREVIOUS`.
    pub previous: &'static str,
    /// `SONGDA_<GATEWAY>_CALLBACK_SOURCES`.
    pub sources: &'static str,
}

/// The callers that may call back in the name of one gateway: they know its secret, and call from its networks.
#[derive(Debug, Clone)]
pub struct CallbackAccess {
    /// The last segment of the path on which the gateway calls. While it is being changed, both the new and the old
    /// secret are valid.
    secrets: Vec<Private<String>>,
    /// The networks from which the gateway calls; empty if it may call from anywhere.
    sources: Vec<Network>,
}

/// The minimum length of a secret, in characters. The secret is in the gateway's console and in the logs of every
/// proxy on the way, but it must not be guessed.
const SHORTEST_SECRET: usize = 32;

impl CallbackAccess {
    /// Reads the settings of a gateway that calls back; `None` if they have faults.
    pub fn read(env: &mut Env, names: &CallbackNames) -> Option<Self> {
        let current = env.secret(names.secret, SECRET);
        Self::with(env, names, current)
    }

    /// Reads the settings of a gateway that need not call back; `None` if no secret is set, or if they have faults.
    pub fn read_optional(env: &mut Env, names: &CallbackNames) -> Option<Self> {
        let current = env.optional_secret(names.secret, SECRET);
        Self::with(env, names, current)
    }

    fn with(env: &mut Env, names: &CallbackNames, current: Option<Private<String>>) -> Option<Self> {
        let meaning = "the secret before the last change, until the gateway has the new one";
        let previous = env.optional_secret(names.previous, meaning);
        for (name, secret) in [(names.secret, &current), (names.previous, &previous)] {
            if secret.as_ref().is_some_and(|secret| !is_strong(secret.expose())) {
                env.fault(format!(
                    "{name} has fewer than {SHORTEST_SECRET} characters, or others than letters, digits and -._~: \
                     `openssl rand -hex 32` makes a good one"
                ));
            }
        }
        let sources = sources(env, names.sources);
        Some(Self { secrets: std::iter::once(current?).chain(previous).collect(), sources: sources? })
    }

    /// True if a call with this secret from this address may be the gateway's.
    pub fn admits(&self, secret: &str, from: Option<CallerAddress>) -> bool {
        let is =
            |known: &Private<String>| verify_slices_are_equal(secret.as_bytes(), known.expose().as_bytes()).is_ok();
        // Compares with every secret, even after a match, so that the response time reveals nothing about the secrets.
        let knows_secret = self.secrets.iter().filter(|known| is(known)).count() > 0;
        let in_sources = from.is_some_and(|from| self.sources.iter().any(|source| source.contains(from)));
        knows_secret && (self.sources.is_empty() || in_sources)
    }

    /// True if the gateway may call from any network.
    pub const fn is_open_to_all(&self) -> bool {
        self.sources.is_empty()
    }
}

const SECRET: &str = "unguessable last part of the path on which this gateway calls us, at least 32 characters";

/// True if a secret is long enough, and has only characters that no proxy changes in a path.
fn is_strong(secret: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    secret.len() >= SHORTEST_SECRET && secret.chars().all(is_plain)
}

/// Reads networks, such as `203.0.113.0/24`, or single addresses.
fn sources(env: &mut Env, name: &'static str) -> Option<Vec<Network>> {
    let meaning = "networks from which this gateway calls back, as CIDR and separated by commas; not set: any";
    let text: String = env.or(name, "", meaning)?;
    let networks: Result<Vec<Network>, _> =
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::parse).collect();
    if networks.is_err() {
        env.fault(format!("{name} contains something that is neither a network like 203.0.113.0/24 nor an address"));
    }
    networks.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: CallbackNames = CallbackNames {
        secret: "SONGDA_OWL_CALLBACK_SECRET",
        previous: "SONGDA_OWL_CALLBACK_SECRET_PREVIOUS",
        sources: "SONGDA_OWL_CALLBACK_SOURCES",
    };
    const NOW: &str = "0123456789abcdef0123456789abcdef";
    const BEFORE: &str = "fedcba9876543210fedcba9876543210";

    fn read(settings: &[(&str, &str)]) -> Result<CallbackAccess, Vec<String>> {
        let mut env = Env::of(settings.iter().copied());
        CallbackAccess::read(&mut env, &NAMES).ok_or_else(|| env.faults().to_vec())
    }

    fn from(address: &str) -> Option<CallerAddress> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn the_new_and_the_old_secret_are_known_and_no_other() {
        let access = read(&[(NAMES.secret, NOW), (NAMES.previous, BEFORE)]).unwrap();
        assert!(access.admits(NOW, None) && access.admits(BEFORE, from("192.0.2.1")) && access.is_open_to_all());
        for other in ["", "0123456789abcdef", &NOW[1..], &format!("{NOW}0")] {
            assert!(!access.admits(other, None), "{other}");
        }
    }

    #[test]
    fn a_call_comes_from_the_networks_of_the_gateway() {
        let sources = (NAMES.sources, "203.0.113.0/24, 198.51.100.7,2001:db8::/32");
        let access = read(&[(NAMES.secret, NOW), sources]).unwrap();
        assert!(!access.is_open_to_all());
        for inside in ["203.0.113.9", "198.51.100.7", "2001:db8:1::1", "::ffff:203.0.113.9"] {
            assert!(access.admits(NOW, from(inside)) && !access.admits(BEFORE, from(inside)), "{inside}");
        }
        for outside in ["203.0.114.9", "198.51.100.8", "2001:db9::1", "::ffff:198.51.100.8"] {
            assert!(!access.admits(NOW, from(outside)), "{outside}");
        }
        assert!(!access.admits(NOW, None), "an unknown address is no address of the gateway");
    }

    #[test]
    fn weak_settings_are_faults() {
        let missing = read(&[]).unwrap_err();
        assert!(matches!(&missing[..], [fault] if fault.contains(NAMES.secret)), "{missing:?}");
        for weak in ["a", "sandbox", &NOW[1..], "0123456789abcdef/0123456789abcdef"] {
            let faults = read(&[(NAMES.secret, weak), (NAMES.previous, "short"), (NAMES.sources, "owls")]).unwrap_err();
            assert_eq!(faults.len(), 3, "{faults:?}");
            assert!(!faults.iter().any(|fault| fault.contains("owls")), "no value is repeated: {faults:?}");
        }
    }

    #[test]
    fn a_gateway_that_need_not_call_back_needs_no_secret() {
        let mut env = Env::default();
        assert!(CallbackAccess::read_optional(&mut env, &NAMES).is_none() && env.faults().is_empty());
    }
}
