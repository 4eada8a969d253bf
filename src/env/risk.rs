//! Settings that are valid and dangerous. A deployed program does not start with one, unless `SONGDA_ALLOW` names the
//! risk. Each accepted risk is logged at the start, and `songda doctor` shows it.

use std::fmt;
use std::net::IpAddr;

use super::Env;
use crate::domain::kernel::words::words;

words! {
    /// A risk that an operator may accept. The words are those of `SONGDA_ALLOW`.
    pub enum Risk {
        /// A secret is one of the sandbox, which everybody can read in the repository.
        SandboxSecrets = "sandbox-secrets",
        /// A secret can be guessed.
        ShortSecrets = "short-secrets",
        /// A gateway is called without TLS.
        HttpGateways = "http-gateways",
        /// PostgreSQL is reached over a network without TLS.
        PlainPostgres = "plain-postgres",
        /// Redis is reached over a network without TLS.
        PlainRedis = "plain-redis",
        /// Pages of every web site may call the API.
        AnyOrigin = "any-origin",
    }
}

/// A setting that brings a risk. The text never repeats the setting's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskySetting {
    pub risk: Risk,
    pub what: String,
}

impl fmt::Display for RiskySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; correct it, or accept the risk with SONGDA_ALLOW={}", self.what, self.risk)
    }
}

/// The risky settings that were read so far.
#[derive(Debug, Clone, Default)]
pub struct Risks {
    /// Those that the operator accepts.
    pub accepted: Vec<RiskySetting>,
    /// Those with which a deployed program does not start.
    pub refused: Vec<RiskySetting>,
}

/// The minimum length of a secret, in characters. It is shorter than any key that a gateway issues.
pub const SHORTEST_SECRET: usize = 16;
/// Every secret of the sandbox contains this word. A test checks that.
const SANDBOX: &str = "sandbox";

impl Env {
    /// Notes a setting that brings a risk. `what` names the setting.
    pub fn risk(&mut self, risk: Risk, what: impl Into<String>) {
        let risky = RiskySetting { risk, what: what.into() };
        if !self.risky.contains(&risky) {
            self.risky.push(risky);
        }
    }

    /// Notes what is wrong with a secret. An address with a password in it is examined by the code that uses it.
    pub(super) fn examine_secret(&mut self, name: &str, secret: &str) {
        if secret.contains("://") {
            return;
        }
        if secret.to_ascii_lowercase().contains(SANDBOX) {
            self.risk(Risk::SandboxSecrets, format!("{name} is the sandbox's own, which everybody can read"));
        } else if secret.len() < SHORTEST_SECRET {
            self.risk(Risk::ShortSecrets, format!("{name} has fewer than {SHORTEST_SECRET} characters"));
        }
    }

    /// Sorts the risky settings that were read so far by the operator's decision.
    pub fn risks(&mut self) -> Risks {
        let meaning = "risks that you accept, by their words and separated by commas: sandbox-secrets, short-secrets, \
                       http-gateways, plain-postgres, plain-redis, any-origin; a deployed program starts with no other";
        let text: String = self.or("SONGDA_ALLOW", "", meaning).unwrap_or_default();
        let mut allowed = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match Risk::from_stored(word) {
                Some(risk) => allowed.push(risk),
                None => self.fault("SONGDA_ALLOW names something that is not a known risk"),
            }
        }
        let (accepted, refused) = self.risky.iter().cloned().partition(|risky| allowed.contains(&risky.risk));
        Risks { accepted, refused }
    }
}

/// True if connections to this host do not leave the machine.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.starts_with('/') || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_accepted_by_its_word_alone() {
        let mut env = Env::of([
            ("SONGDA_A", "short"),
            ("SONGDA_B", "a-SANDBOX-secret-of-some-length"),
            ("SONGDA_C", "0123456789abcdef"),
            ("SONGDA_D", "postgres://sandbox"),
            ("SONGDA_ALLOW", "short-secrets, any-origin"),
        ]);
        for name in ["SONGDA_A", "SONGDA_B", "SONGDA_C", "SONGDA_D"] {
            env.secret(name, "a secret");
        }
        let Risks { accepted, refused } = env.risks();
        assert!(matches!(&accepted[..], [one] if one.risk == Risk::ShortSecrets && one.what.contains("SONGDA_A")));
        assert!(matches!(&refused[..], [one] if one.risk == Risk::SandboxSecrets && one.what.contains("SONGDA_B")));
        assert!(env.faults().is_empty(), "{:?}", env.faults());
        let mut env = Env::of([("SONGDA_ALLOW", "everything")]);
        env.risks();
        assert_eq!(env.faults().len(), 1, "{:?}", env.faults());
    }

    #[test]
    fn the_documented_words_are_the_known_ones() {
        let mut env = Env::default();
        env.risks();
        let meaning = env.described()[0].meaning;
        for risk in Risk::ALL {
            assert!(meaning.contains(risk.as_str()), "{risk}");
        }
    }

    #[test]
    fn this_machine_has_many_names() {
        for local in ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "/var/run/postgresql"] {
            assert!(is_this_machine(local), "{local}");
        }
        for other in ["postgres", "10.0.0.1", "localhost.example", "2001:db8::1", ""] {
            assert!(!is_this_machine(other), "{other}");
        }
    }
}
