//! Checks the settings by reading them as a serving process does.

use songda::config::Config;
use songda::env::Env;
use songda::registry::Registry;

use super::finding::Finding;

pub const GROUP: &str = "settings";

/// Returns one finding for each fault of the settings. If they have no fault, returns one finding that says so. Faults
/// of the keys folder are left out, because the check of the keys reports them.
pub fn look() -> Vec<Finding> {
    let Err(faults) = Config::read(&mut Env::of_process(), &Registry::shipped()) else {
        return vec![Finding::ok(GROUP, "settings", "all required settings are present and valid")];
    };
    let faults = faults.into_iter().filter(|fault| !fault.starts_with("SONGDA_KEYS:"));
    let advice = "correct the setting; `songda settings` lists all settings";
    faults.map(|fault| Finding::fault(GROUP, "settings", fault, advice)).collect()
}
