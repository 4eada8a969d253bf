//! A twin: one gateway, played.

use std::sync::Arc;

use poem::Route;

use super::parcels::Moved;
use super::world::World;
use crate::env::Env;

/// Builds a twin from the settings that it reads; `None` if they are invalid.
pub type TwinMaker = fn(&mut Env) -> Option<Arc<dyn Twin>>;

/// One gateway, played. It writes what reaches a phone to [`World::phones`] and what it carries to [`World::parcels`].
/// Every call goes through [`World::perform`], so that ordered faults can strike it.
pub trait Twin: Send + Sync + 'static {
    /// The gateway's name. It is the first segment of the twin's paths, and faults and counters use it.
    fn name(&self) -> &'static str;

    /// The gateway's protocol, mounted at `/<name>`.
    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route;

    /// Endpoints for tests beside the protocol, mounted at `/_sandbox/<name>`.
    fn controls(self: Arc<Self>, _world: &Arc<World>) -> Route {
        Route::new()
    }

    /// The gateway's settings for a Songda that uses this twin: the keys that the twin accepts, and limits that suit it.
    /// The address is not among them: it is always `SONGDA_<NAME>_URL`.
    fn client_settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Called after some of its parcels were scanned. A carrier calls Songda back here.
    fn scanned(&self, _world: &World, _moved: &[Moved]) {}

    /// Deletes all data of the twin.
    fn reset(&self) {}
}
