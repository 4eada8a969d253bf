//! Reads the catalogue's folder: one TOML file per agency under `items/`, and the files that all items share. Each
//! file, each item and each key is read separately, so that one fault does not hide another.

use std::path::{Path, PathBuf};

use toml::Table;

use super::fault::{CatalogFault, Faults};
use super::items::{Placed, read_item};
use super::keys::Keys;
use super::shared::Shared;
use super::templates::FieldRules;
use super::{Contents, rules as item_rules};
use crate::domain::item::{AgencyCode, Item};

/// Reads and checks the catalogue's folder. `rules` check the fields of message templates as the gateways do.
pub fn read(folder: &Path, rules: &FieldRules) -> Result<Contents, Vec<CatalogFault>> {
    let mut faults = Faults::default();
    let shared = Shared::read(folder, &mut faults);
    let mut placed = Vec::new();
    for path in item_files(folder, &mut faults) {
        read_items(folder, &path, &shared, &mut placed, &mut faults);
    }
    item_rules::check(&placed, &shared, &mut faults);
    shared.check(rules, &mut faults);
    let found = faults.into_found();
    match shared.into_parts() {
        Some(parts) if found.is_empty() => {
            let mut items: Vec<Item> = placed.into_iter().map(|placed| placed.item).collect();
            items.sort_by(|a, b| a.code.cmp(&b.code));
            Ok(Contents { items, parts })
        }
        _ => Err(found),
    }
}

/// Lists the TOML files under `items/`, sorted by name.
fn item_files(folder: &Path, faults: &mut Faults) -> Vec<PathBuf> {
    faults.enter("items");
    let entries = match std::fs::read_dir(folder.join("items")) {
        Ok(entries) => entries,
        Err(error) => {
            faults.add("", &format!("the folder cannot be read: {error}"));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn read_items(folder: &Path, path: &Path, shared: &Shared, placed: &mut Vec<Placed>, faults: &mut Faults) {
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let Some(mut keys) = Keys::of_file(folder, &name, faults) else { return };
    let agency = keys.required::<AgencyCode>("agency");
    let items = keys.list::<Table>("items");
    keys.close();
    for (at, table) in items.into_iter().flatten().enumerate() {
        let code = table.get("code").and_then(toml::Value::as_str);
        faults.enter_item(code.map_or_else(|| format!("item {}", at + 1), str::to_owned));
        let item = read_item(table, agency.as_ref(), shared, faults);
        placed.extend(item.map(|item| Placed { file: name.clone(), item }));
    }
}
