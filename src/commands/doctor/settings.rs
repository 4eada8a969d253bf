//! The settings, read as a serving process reads them.

use songda::config::Config;
use songda::env::Env;
use songda::registry::Registry;

use super::finding::Finding;

pub const GROUP: &str = "settings";

/// Each fault in the settings is one finding. Those of the keys' folder are left to the look at it.
pub fn look() -> Vec<Finding> {
    let Err(faults) = Config::read(&mut Env::of_process(), &Registry::shipped()) else {
        return vec![Finding::ok(GROUP, "settings", "all that a process needs is set, and can be read")];
    };
    let faults = faults.into_iter().filter(|fault| !fault.starts_with("SONGDA_KEYS:"));
    let advice = "mend the setting; `songda settings` lists them all";
    faults.map(|fault| Finding::fault(GROUP, "settings", fault, advice)).collect()
}
