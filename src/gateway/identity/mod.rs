//! The real-name check: does this name belong to this resident ID number? Each gateway has a folder and a line in
//! `registry.rs`.

pub mod aliyun;

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

/// The result of a check of a name and a resident ID number. The text in a variant is for operators: the gateway's
/// error code, or the reason why the answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityFact {
    Match,
    Mismatch,
    /// The population register does not contain the number.
    Unknown,
    /// No answer came, or the answer is unreadable. The caller may repeat the check.
    Unavailable(String),
    /// The gateway refuses our account. An operator must correct the account or its settings.
    Misconfigured(String),
}

#[async_trait]
pub trait IdentityGateway: Send + Sync {
    /// Checks that a name and a resident ID number belong together. A check changes nothing at the gateway, so the
    /// caller can repeat it after an unclear answer.
    async fn verify(&self, name: &Private<String>, resident_id: &Private<String>) -> IdentityFact;

    /// Checks that the gateway answers and accepts our account. The request contains no personal data.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }
}

/// A gateway's entry in `registry.rs`.
#[derive(Clone, Copy)]
pub struct IdentityAdapter {
    /// The gateway's name in settings: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads the gateway's settings and builds its client; `None` if it is off or the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn IdentityGateway>>,
}

/// Builds the real-name gateway of this installation; `None` if all such gateways are off.
pub fn read(env: &mut Env, adapters: &[IdentityAdapter], clock: &Clock) -> Option<Arc<dyn IdentityGateway>> {
    let mut gateways = adapters.iter().filter_map(|adapter| (adapter.build)(env, clock)).collect::<Vec<_>>();
    if gateways.len() > 1 {
        env.fault("several real-name checks are on: switch off all but one");
    }
    gateways.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Agreeable;

    #[async_trait]
    impl IdentityGateway for Agreeable {
        async fn verify(&self, _: &Private<String>, _: &Private<String>) -> IdentityFact {
            IdentityFact::Match
        }
    }

    const ON: IdentityAdapter = IdentityAdapter { code: "on", build: |_, _| Some(Arc::new(Agreeable)) };
    const OFF: IdentityAdapter = IdentityAdapter { code: "off", build: |_, _| None };

    #[test]
    fn an_installation_has_one_check_at_most() {
        for (adapters, is_on, faults) in [(&[OFF][..], false, 0), (&[OFF, ON], true, 0), (&[ON, OFF, ON], true, 1)] {
            let mut env = Env::default();
            assert_eq!(read(&mut env, adapters, &Clock::system()).is_some(), is_on);
            assert_eq!(env.faults().len(), faults, "{:?}", env.faults());
        }
    }
}
