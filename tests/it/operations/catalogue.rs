//! Publishing the catalogue into a database, and reading it back into memory.

use std::path::Path;

use songda::casework::frame::catalogue::{ReadError, read, refresh};
use songda::casework::upkeep::publish_catalogue::publish;
use songda::catalog::{self, Catalog, Contents, FieldRules};
use songda::domain::item::ItemCode;
use songda::domain::kernel::clock::Clock;

use crate::support::database::Record;
use crate::support::items::ITEM;

fn shipped() -> Contents {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    catalog::read(&folder, &FieldRules::new()).unwrap()
}

#[tokio::test]
async fn only_changes_are_published_and_old_versions_stay() {
    let record = Record::create().await;
    let store = &record.store;
    let clock = Clock::system();
    let mut contents = shipped();
    assert!(matches!(read(store).await, Err(ReadError::Nothing)));

    let all = contents.items.len();
    let first = publish(store, &clock, &contents).await.unwrap();
    assert_eq!((first.revision, first.added.len(), first.parts.len()), (1, all, 6));
    let again = publish(store, &clock, &contents).await.unwrap();
    assert!(again.is_empty());
    assert_eq!((again.revision, again.unchanged), (1, all));

    let serving = Catalog::new(read(store).await.unwrap());
    assert!(!refresh(store, &serving).await.unwrap());

    let gone = contents.items.remove(0).code;
    contents.items[0].result.zh.push('改');
    let edited = contents.items[0].code.clone();
    let second = publish(store, &clock, &contents).await.unwrap();
    assert_eq!(
        (second.revision, second.withdrawn, second.changed),
        (2, vec![gone.to_string()], vec![edited.to_string()])
    );

    assert!(refresh(store, &serving).await.unwrap());
    let now = serving.current();
    assert_eq!(now.counts().total, all - 1);
    assert!(now.in_force(&gone).is_none(), "a withdrawn item cannot be applied for");
    assert!(now.version(&gone, 1).is_some(), "a case keeps the version with which it was opened");
    assert_eq!(now.in_force(&edited).unwrap().version, 2);
    assert!(!now.version(&edited, 1).unwrap().item.result.zh.ends_with('改'));
    record.drop().await;
}

#[tokio::test]
async fn two_concurrent_publications_publish_once() {
    let record = Record::create().await;
    let clock = Clock::system();
    let contents = shipped();
    let publish = || publish(&record.store, &clock, &contents);
    let (one, other) = tokio::join!(publish(), publish());
    let mut added = [one.unwrap().added.len(), other.unwrap().added.len()];
    added.sort_unstable();
    assert_eq!(added, [0, contents.items.len()]);
    let snapshot = read(&record.store).await.unwrap();
    assert_eq!(snapshot.revision().number, 1);
    assert!(snapshot.in_force(&ItemCode::new(ITEM)).unwrap().item.form.is_some());
    record.drop().await;
}
