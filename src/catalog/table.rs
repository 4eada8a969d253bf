//! Reads one TOML file of the catalogue.

use std::path::Path;

use toml::Table;

use super::fault::Faults;

/// Reads a file. Returns `None` and adds a fault if the file cannot be read or is not TOML.
pub(super) fn read_table(folder: &Path, name: &str, faults: &mut Faults) -> Option<Table> {
    faults.enter(name);
    let text = match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) => {
            faults.add("", &format!("cannot be read: {error}"));
            return None;
        }
    };
    // The error message contains line and column.
    toml::from_str(&text).map_err(|error| faults.add("", error.to_string().trim_end())).ok()
}
