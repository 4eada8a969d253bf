//! The files with the results, for programs and for people. `script/bench` names the folder and describes the machine.

use std::env;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::Measured;

/// Returns the machine and the versions that were measured, in words.
pub fn machine() -> String {
    env::var("SONGDA_BENCH_MACHINE").unwrap_or_default()
}

/// Writes `<name>.json` and `<name>.md` into the folder that `SONGDA_BENCH_RESULTS` names. Writes nothing if the
/// variable is not set.
pub fn write(name: &str, results: &Value, page: &str) -> Measured<()> {
    let Ok(folder) = env::var("SONGDA_BENCH_RESULTS") else { return Ok(()) };
    let path = PathBuf::from(folder).join(name);
    fs::create_dir_all(path.parent().ok_or("the results have no folder")?)?;
    fs::write(path.with_extension("json"), serde_json::to_string_pretty(results)? + "\n")?;
    Ok(fs::write(path.with_extension("md"), page)?)
}
