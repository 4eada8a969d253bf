//! The settings of the sandbox. Code in each gateway's folder reads the settings of its twin (the simulated gateway).

use std::net::SocketAddr;
use std::sync::Arc;

use super::client_settings::client_settings;
use super::twin::{Twin, TwinMaker};
use super::world_settings::WorldSettings;
use crate::env::Env;

#[derive(Clone)]
pub struct SandboxSettings {
    /// The address and port of the sandbox's server. Port 0 means any free port.
    pub listen: SocketAddr,
    pub world: WorldSettings,
    pub twins: Vec<Arc<dyn Twin>>,
}

impl SandboxSettings {
    /// Reads the settings of the sandbox and of all twins.
    pub fn read(env: &mut Env, twins: &[TwinMaker]) -> Option<Self> {
        let listen = env.or("SONGDA_SANDBOX_LISTEN", "127.0.0.1:8090", "address and port that the sandbox listens on");
        let world = WorldSettings::read(env);
        let twins: Vec<_> = twins.iter().map(|make| make(env)).collect();
        let twins = twins.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { listen: listen?, world: world?, twins })
    }

    /// Returns the settings of a Songda that uses this sandbox. `url` is the address of the sandbox.
    pub fn client_settings(&self, url: &str) -> Vec<(String, String)> {
        client_settings(url, &self.world, &self.twins)
    }

    /// The settings for tests: default keys, parcels that move only on request, and callbacks that are repeated after a
    /// quarter of a second.
    pub fn for_tests(twins: &[TwinMaker]) -> Self {
        let given = [("SONGDA_SANDBOX_STEP", "manual"), ("SONGDA_SANDBOX_TIME_SCALE", "4000000000")];
        Self::read(&mut Env::of(given), twins).unwrap_or_else(|| unreachable!("the defaults are valid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete() {
        let mut env = Env::of([("SONGDA_SANDBOX_STEP", "2s")]);
        assert!(SandboxSettings::read(&mut env, &[]).is_some(), "{:?}", env.faults());
    }
}
