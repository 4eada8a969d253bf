//! The real-name check: does this name belong to this resident ID number? One folder per gateway; `registry.rs` lists them.

pub mod aliyun;

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

/// The result of a check. A fact, not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityFact {
    /// Name and number belong together.
    Match,
    /// They do not.
    Mismatch,
    /// The register has no such number.
    Unknown,
    /// No usable answer, so nothing is known. The detail is for our own record.
    Unavailable(String),
    /// Nothing will change until an operator corrects our account.
    Misconfigured(String),
}

/// A real-name gateway.
#[async_trait]
pub trait IdentityGateway: Send + Sync {
    /// Checks a name and a number. The check is repeatable, so an unclear answer is simply `Unavailable`.
    async fn verify(&self, name: &Private<String>, resident_id: &Private<String>) -> IdentityFact;

    /// Asks whether the gateway answers and accepts our account, without naming a person.
    async fn probe(&self) -> Probe {
        Probe::NotAsked
    }
}

/// Builds a real-name gateway from the settings; `registry.rs` lists one per gateway.
#[derive(Clone, Copy)]
pub struct IdentityAdapter {
    /// The gateway's name in settings: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads its settings and builds its client. `None` if it is off, or if the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn IdentityGateway>>,
}

/// Builds the real-name gateway of this installation; `None` if all are off.
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
