//! Reads a TOML file or table key by key, so that one fault does not hide another. Each fault has the path of its key.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::fault::Faults;

/// A TOML table that is read key by key. Every read removes its key, so that [`Keys::close`] finds the unknown keys.
pub(super) struct Keys<'a> {
    table: Table,
    faults: &'a mut Faults,
}

impl<'a> Keys<'a> {
    /// Reads a file of the catalogue. Returns `None` and adds a fault if it cannot be read or is not TOML.
    pub(super) fn of_file(folder: &Path, name: &str, faults: &'a mut Faults) -> Option<Self> {
        faults.enter(name);
        let text = std::fs::read_to_string(folder.join(name));
        let text = text.map_err(|error| faults.add("", &format!("cannot be read: {error}"))).ok()?;
        // The fault names no key, because the error message contains line and column.
        let table = toml::from_str(&text).map_err(|error| faults.add("", error.to_string().trim_end())).ok()?;
        Some(Self::of(table, faults))
    }

    pub(super) fn of(table: Table, faults: &'a mut Faults) -> Self {
        Self { table, faults }
    }

    /// Reads a required value. Returns `None` and adds a fault if the key is missing or the value has the wrong type.
    pub(super) fn required<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        self.demand(key);
        self.optional(key)
    }

    /// Reads an optional value. Returns `None` if the key is missing. If the value has the wrong type, returns `None`
    /// and adds a fault.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        self.read(value, key)
    }

    /// Reads a required list, entry by entry, so that one fault does not hide another.
    pub(super) fn list<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<T>> {
        self.demand(key);
        self.optional_list(key)
    }

    /// Reads an optional list, entry by entry, so that one fault does not hide another.
    pub(super) fn optional_list<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<T>> {
        let entries: Vec<Value> = self.optional(key)?;
        let entries = entries.into_iter().enumerate().map(|(at, entry)| self.read(entry, &format!("{key}[{at}]")));
        // The first `collect` reads every entry; the second alone would stop at the first fault.
        entries.collect::<Vec<_>>().into_iter().collect()
    }

    /// Reads a required table, entry by entry, so that one fault does not hide another.
    pub(super) fn map<T: DeserializeOwned>(&mut self, key: &str) -> Option<BTreeMap<String, T>> {
        let entries: Table = self.required(key)?;
        let read = |(name, entry): (String, Value)| {
            let value = self.read(entry, &format!("{key}.{name}"));
            value.map(|value| (name, value))
        };
        entries.into_iter().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    /// Adds a fault for every key that was not read.
    pub(super) fn close(self) {
        for key in self.table.keys() {
            self.faults.add(key, "there is no such key; remove it");
        }
    }

    fn demand(&mut self, key: &str) {
        if !self.table.contains_key(key) {
            self.faults.add(key, "is missing");
        }
    }

    fn read<T: DeserializeOwned>(&mut self, value: Value, place: &str) -> Option<T> {
        let noted = |error: serde_path_to_error::Error<toml::de::Error>| {
            let below = error.path().to_string();
            let place = match below.as_str() {
                "." => place.to_owned(),
                index if index.starts_with('[') => format!("{place}{index}"),
                _ => format!("{place}.{below}"),
            };
            self.faults.add(&place, error.inner().message());
        };
        serde_path_to_error::deserialize(value).map_err(noted).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::item::due::TimeLimit;

    #[test]
    fn every_fault_has_the_path_of_its_key() {
        let table = r#"
            days = "three"
            promised = { days = 3, unit = "weeks" }
            modes = ["a", 1, "b", 2]
            names = { a = "x", b = 1, c = 2 }
            extra = 1
        "#;
        let mut faults = Faults::of("items/x.toml");
        let mut keys = Keys::of(table.parse().unwrap(), &mut faults);
        assert_eq!(keys.required::<u32>("days"), None);
        assert_eq!(keys.required::<TimeLimit>("promised"), None);
        assert_eq!(keys.list::<String>("modes"), None);
        assert_eq!(keys.map::<String>("names"), None);
        assert_eq!(keys.optional::<u32>("absent"), None);
        assert_eq!(keys.required::<u32>("missing"), None);
        keys.close();
        let lines = faults.into_lines();
        let places: Vec<&str> = lines.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
        assert_eq!(
            places,
            ["days", "promised.unit", "modes[1]", "modes[3]", "names.b", "names.c", "missing", "extra"],
            "{lines:#?}"
        );
    }
}
