//! Drafts: who can read and change them, and which items are refused.

use crate::support::acts::{begun, fresh_draft, submit};
use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::electronic;

/// An item that can be applied for online, but not on the phone.
const ONLINE_ITEM: &str = "JT-0043";
/// An item that can be applied for at a window only.
const WINDOW_ITEM: &str = "JT-0230";

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_can_be_read_and_changed_by_its_owner_only() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let caller = resident.caller();
    let path = fresh_draft();

    let first = caller.put(&path).if_absent().json(&begun(ITEM)).success().await.unwrap();
    assert_eq!((first.status.as_u16(), first.etag()), (201, "\"1\""));
    assert!(!first.at("/faults").unwrap().as_array().unwrap().is_empty(), "it lists what is still wrong");
    let again = caller.put(&path).if_absent().json(&begun(ITEM)).answer().await.unwrap();
    assert_eq!(again.body, first.body, "the same request gets the same answer");

    let mut changed = begun(ITEM);
    changed["delivery"] = electronic();
    assert_problem(&caller.put(&path).json(&changed).answer().await.unwrap(), 428, "version_required");
    let created = caller.put(&path).if_absent().json(&changed).answer().await.unwrap();
    assert_problem(&created, 412, "version_stale");
    let second = caller.put(&path).if_match(first.etag()).json(&changed).success().await.unwrap();
    assert_eq!((second.status.as_u16(), second.etag()), (200, "\"2\""));
    let stale = caller.put(&path).if_match(first.etag()).json(&changed).answer().await.unwrap();
    assert_problem(&stale, 412, "version_stale");
    let read = caller.get(&path).success().await.unwrap();
    assert_eq!(read.at("/delivery/way").unwrap(), "electronic");

    let other = desk.stranger().await;
    assert_problem(&other.caller().get(&path).answer().await.unwrap(), 404, "not_found");
    assert_problem(&other.caller().delete(&path).answer().await.unwrap(), 404, "not_found");
    let taken = other.caller().put(&path).if_absent().json(&begun(ITEM)).answer().await.unwrap();
    assert_problem(&taken, 412, "version_stale");

    assert_eq!(caller.delete(&path).answer().await.unwrap().status.as_u16(), 204);
    assert_problem(&caller.get(&path).answer().await.unwrap(), 404, "not_found");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_not_published_or_not_on_the_phone_is_refused_and_the_attempt_recorded() {
    let desk = Desk::open().await;
    let other = desk.stranger().await;
    let elsewhere = "item_not_on_the_phone";
    for (item, code) in [("XX-9999", "item_not_published"), (ONLINE_ITEM, elsewhere), (WINDOW_ITEM, elsewhere)] {
        let reply = other.caller().put(&fresh_draft()).if_absent().json(&begun(item)).answer().await.unwrap();
        assert_problem(&reply, 422, code);
    }

    // The item is checked again at submission: the item can have changed since the draft was begun.
    let draft = desk.journey(ITEM).await;
    let moved = sqlx::query("update drafts set item_code = $1, item_version = 1").bind(ONLINE_ITEM);
    moved.execute(&desk.database).await.unwrap();
    let submitted = submit(draft.resident.caller(), &draft.id, &songda::demo::fresh_key()).await;
    assert_problem(&submitted, 422, elsewhere);

    let recorded: Vec<(String, String)> =
        sqlx::query_as("select item_code, reason from refused_applications order by id")
            .fetch_all(&desk.database)
            .await
            .unwrap();
    let row = |item: &str, reason: &str| (item.to_owned(), reason.to_owned());
    let not_here = |item: &str| row(item, "not_on_the_phone");
    let all = [row("XX-9999", "not_published"), not_here(ONLINE_ITEM), not_here(WINDOW_ITEM), not_here(ONLINE_ITEM)];
    assert_eq!(recorded, all);
    desk.close().await;
}
