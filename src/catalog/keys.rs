//! Reads a TOML table key by key, so that one slip hides no other, and each is told with the path of its key.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::fault::Faults;

/// A table that is being read.
pub(super) struct Keys<'a> {
    table: Table,
    faults: &'a mut Faults,
}

impl<'a> Keys<'a> {
    pub(super) fn of(table: Table, faults: &'a mut Faults) -> Self {
        Self { table, faults }
    }

    /// A value that must be there. `None` where it is not, or is none of its kind: then that was noted.
    pub(super) fn required<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        self.demand(key);
        self.optional(key)
    }

    /// A value that may be there. `None` where it is not, or where it is none of its kind: then that was noted.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        self.read(value, key)
    }

    /// A list that must be there, each entry read by itself.
    pub(super) fn list<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<T>> {
        self.demand(key);
        self.optional_list(key)
    }

    /// A list that may be there, each entry read by itself.
    pub(super) fn optional_list<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<T>> {
        let entries: Vec<Value> = self.optional(key)?;
        let entries = entries.into_iter().enumerate().map(|(at, entry)| self.read(entry, &format!("{key}[{at}]")));
        // Collected twice: an iterator of options stops at the first slip.
        entries.collect::<Vec<_>>().into_iter().collect()
    }

    /// A table of entries that must be there, each read by itself.
    pub(super) fn map<T: DeserializeOwned>(&mut self, key: &str) -> Option<BTreeMap<String, T>> {
        let entries: Table = self.required(key)?;
        let read = |(name, entry): (String, Value)| {
            let value = self.read(entry, &format!("{key}.{name}"));
            value.map(|value| (name, value))
        };
        entries.into_iter().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    /// Notes every key that nobody asked for.
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
    fn every_slip_is_told_with_its_path() {
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
