//! Publishes the catalogue (发布事项目录).
//!
//! Only changed items get a new version, so publishing the same files again changes nothing. A case stores the version
//! number of its item. That version shows the item exactly as it was when the case was opened.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use crate::catalog::{Contents, Parts};
use crate::domain::item::Item;
use crate::domain::kernel::clock::Clock;
use crate::store::catalogue::{self as rows, NewContent, StoredHash};
use crate::store::{Store, StoreError};

/// The changes of a publication.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Publication {
    /// The revision of the catalogue after the publication.
    pub revision: i64,
    /// Codes of items that were not in force before.
    pub added: Vec<String>,
    /// Codes of items with a new version.
    pub changed: Vec<String>,
    /// Codes of items that are no longer in force.
    pub withdrawn: Vec<String>,
    /// The number of unchanged items.
    pub unchanged: usize,
    /// Names of changed shared parts of the catalogue: agencies, regions, halls, topics, calendar, templates.
    pub parts: Vec<String>,
}

impl Publication {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.withdrawn.is_empty() && self.parts.is_empty()
    }
}

/// Publishes the contents of the catalogue's files in one transaction.
pub async fn publish(store: &Store, clock: &Clock, contents: &Contents) -> Result<Publication, StoreError> {
    let mut tx = store.begin().await?;
    rows::lock(&mut tx).await?;
    let at = clock.now();
    let (mut publication, versions) = compare(&contents.items, rows::newest_hashes(&mut tx).await?)?;
    let parts = changed_parts(&contents.parts, &rows::part_hashes(&mut tx).await?)?;
    publication.parts = parts.iter().map(|part| part.name.clone()).collect();
    if publication.is_empty() {
        publication.revision = rows::revision(&mut tx).await?.map_or(0, |(number, _)| number);
        return Ok(publication);
    }
    let replaced = [publication.changed.clone(), publication.withdrawn.clone()].concat();
    rows::withdraw(&mut tx, &replaced, at).await?;
    rows::insert_versions(&mut tx, &versions, at).await?;
    rows::put_parts(&mut tx, &parts, at).await?;
    publication.revision = rows::raise_revision(&mut tx, at).await?;
    tx.commit().await?;
    Ok(publication)
}

/// Compares items with their newest published versions. Returns the differences and the versions to write.
fn compare(items: &[Item], newest: Vec<StoredHash>) -> Result<(Publication, Vec<NewContent>), StoreError> {
    let mut before: BTreeMap<String, StoredHash> = newest.into_iter().map(|row| (row.code.clone(), row)).collect();
    let mut publication = Publication::default();
    let mut versions = Vec::new();
    for item in items {
        let code = item.code.to_string();
        let (content, hash) = encode(item)?;
        let known = before.remove(&code);
        let version = known.as_ref().map_or(0, |row| row.version) + 1;
        match known {
            Some(row) if row.in_force && row.content_hash == hash => {
                publication.unchanged += 1;
                continue;
            }
            Some(row) if row.in_force => publication.changed.push(code.clone()),
            _ => publication.added.push(code.clone()),
        }
        versions.push(NewContent { name: code, version, content, hash });
    }
    publication.withdrawn = before.into_values().filter(|row| row.in_force).map(|row| row.code).collect();
    Ok((publication, versions))
}

fn changed_parts(parts: &Parts, before: &[(String, Vec<u8>)]) -> Result<Vec<NewContent>, StoreError> {
    let Value::Object(members) = json(parts)? else { return Err(StoreError::Broken("parts are no object".into())) };
    let mut changed = Vec::new();
    for (name, content) in members {
        let (content, hash) = encode(&content)?;
        if !before.iter().any(|(known, known_hash)| *known == name && *known_hash == hash) {
            changed.push(NewContent { name, version: 1, content, hash });
        }
    }
    Ok(changed)
}

fn json<T: Serialize>(value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Broken(format!("the catalogue has no JSON form: {error}")))
}

/// Returns a value as JSON, and the hash of the JSON.
fn encode<T: Serialize>(value: &T) -> Result<(Value, Vec<u8>), StoreError> {
    let content = json(value)?;
    // The members of a JSON object are sorted by name, so equal values have equal text.
    let hash = digest(&SHA256, content.to_string().as_bytes()).as_ref().to_vec();
    Ok((content, hash))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Map;

    use super::*;
    use crate::casework::frame::catalogue::decode;
    use crate::catalog;

    fn shipped() -> Contents {
        catalog::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog"), &catalog::FieldRules::new()).unwrap()
    }

    /// Returns the rows that are in the database after a publication.
    fn after(versions: &[NewContent]) -> Vec<StoredHash> {
        let row = |it: &NewContent| StoredHash {
            code: it.name.clone(),
            version: it.version,
            content_hash: it.hash.clone(),
            in_force: true,
        };
        versions.iter().map(row).collect()
    }

    #[test]
    fn only_a_changed_item_gets_a_new_version() {
        let mut items = shipped().items;
        let all = items.len();
        let (first, versions) = compare(&items, Vec::new()).unwrap();
        assert_eq!((first.added.len(), versions.len()), (all, all));

        let (again, none) = compare(&items, after(&versions)).unwrap();
        assert!(again.is_empty() && none.is_empty());
        assert_eq!(again.unchanged, all);

        let gone = items.remove(0).code.to_string();
        items[0].visits += 1;
        let (edited, new) = compare(&items, after(&versions)).unwrap();
        assert_eq!((edited.withdrawn, edited.changed.len(), edited.unchanged), (vec![gone.clone()], 1, all - 2));
        assert_eq!((new.len(), new[0].version), (1, 2));

        let mut withdrawn = after(&versions);
        withdrawn.iter_mut().find(|row| row.code == gone).unwrap().in_force = false;
        let (back, new) = compare(&shipped().items, withdrawn).unwrap();
        assert_eq!((back.added, new[0].version), (vec![gone], 2), "a version number is never reused");
    }

    #[test]
    fn a_published_catalogue_reads_back_as_it_was() {
        let contents = shipped();
        for item in &contents.items {
            let (content, _) = encode(item).unwrap();
            assert_eq!(&decode::<Item>("item", content).unwrap(), item);
        }
        let parts = changed_parts(&contents.parts, &[]).unwrap();
        assert_eq!(parts.len(), 6);
        let stored: Map<String, Value> = parts.iter().map(|part| (part.name.clone(), part.content.clone())).collect();
        let read: Parts = decode("parts", Value::Object(stored)).unwrap();
        let hashes: Vec<_> = parts.into_iter().map(|part| (part.name, part.hash)).collect();
        assert!(changed_parts(&read, &hashes).unwrap().is_empty());
    }
}
