//! The interface of a twin, which simulates one gateway in the sandbox.

use std::sync::Arc;

use poem::Route;

use super::parcels::Moved;
use super::world::World;
use crate::env::Env;

/// Reads a twin's settings and builds the twin; `None` if the settings are invalid.
pub type TwinMaker = fn(&mut Env) -> Option<Arc<dyn Twin>>;

/// A twin stores messages in [`World::phones`] and parcels in [`World::parcels`]. It serves every call through
/// [`World::perform`], which applies the faults that a test has requested.
pub trait Twin: Send + Sync + 'static {
    /// The gateway's name, which is also the first segment of the twin's paths.
    fn name(&self) -> &'static str;

    /// The gateway's own endpoints, which the sandbox serves below `/<name>`.
    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route;

    /// Additional endpoints for tests, which the real gateway does not have. The sandbox serves them below
    /// `/_sandbox/<name>`.
    fn controls(self: Arc<Self>, _world: &Arc<World>) -> Route {
        Route::new()
    }

    /// The settings of a Songda that uses this twin: the credentials that the twin accepts and, for example, a higher
    /// rate limit than that of the real gateway. The caller adds the address, `SONGDA_<NAME>_URL`, and the secret of the
    /// callback path, `SONGDA_<NAME>_CALLBACK_SECRET`. Every secret contains the word `sandbox`, so that a deployed
    /// program can refuse it.
    fn client_settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// True if the gateway calls Songda back.
    fn calls_back(&self) -> bool {
        true
    }

    /// Called after some of the twin's parcels were scanned. A carrier's twin sends its callbacks here.
    fn scanned(&self, _world: &World, _moved: &[Moved]) {}

    fn reset(&self) {}
}
