//! Settings that are valid and dangerous. A deployed program does not start with one, unless `SONGDA_ALLOW` names the
//! risk. Each accepted risk is logged at the start, and `songda doctor` shows it.

use std::fmt;
use std::net::IpAddr;

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
        /// Officers sign in with a password alone.
        NoSecondFactor = "no-second-factor",
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

/// Returns what is wrong with the secret in this setting. An address with a password in it is examined by the code that
/// uses it.
pub(super) fn of_secret(name: &str, secret: &str) -> Option<RiskySetting> {
    let risky = |risk, what| Some(RiskySetting { risk, what });
    if secret.contains("://") {
        None
    } else if secret.to_ascii_lowercase().contains(SANDBOX) {
        risky(Risk::SandboxSecrets, format!("{name} is the sandbox's own, which everybody can read"))
    } else if secret.len() < SHORTEST_SECRET {
        risky(Risk::ShortSecrets, format!("{name} has fewer than {SHORTEST_SECRET} characters"))
    } else {
        None
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
    fn this_machine_has_many_names() {
        for local in ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "/var/run/postgresql"] {
            assert!(is_this_machine(local), "{local}");
        }
        for other in ["postgres", "10.0.0.1", "localhost.example", "2001:db8::1", ""] {
            assert!(!is_this_machine(other), "{other}");
        }
    }
}
