//! The timeline of a case, as a resident reads it.

use serde_json::json;

use crate::support::desk::Desk;
use crate::support::items::ITEM;

#[tokio::test]
async fn an_act_that_this_release_does_not_know_is_shown_as_updated() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let by_a_newer_release = "insert into case_history (id, case_id, at, actor, behalf, act)
        select gen_random_uuid(), id, now() + interval '1 hour', 'officer:ofc_1', 'agency:police', 'hearing_opened'
        from cases";
    desk.execute(by_a_newer_release).await;
    let timeline = case.resident.timeline(&case.id).await.unwrap();
    let last = timeline.last().unwrap();
    assert_eq!((&last["kind"], &last["actor"]), (&json!("updated"), &json!("officer")));
    assert_eq!((&last["text"]["zh"], &last["text"]["en"]), (&json!("有新进展"), &json!("Updated")));
    assert!(!json!(timeline).to_string().contains("hearing_opened"), "{timeline:?}");
    desk.close().await;
}
