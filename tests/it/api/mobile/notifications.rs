//! The inbox.

use serde_json::json;
use songda::demo::http::Caller;

use crate::support::desk::Desk;
use crate::support::office::{Office, result};

#[tokio::test]
async fn a_notification_that_was_read_is_no_longer_counted_or_listed_as_unread() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let resident = desk.resident().await;
    let office = Office::register(&desk).await;
    for _ in 0..3 {
        office.hand_in(&[result(resident.phone())]).await;
    }
    let caller = resident.caller();
    let unread = async || {
        let count = caller.get("/v1/notifications/unread-count").success().await.unwrap();
        let listed = caller.get("/v1/notifications").query(&[("unread", "true")]).success().await.unwrap();
        let ids: Vec<String> = listed.rows().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(count.at("/unread").unwrap(), ids.len());
        ids
    };
    let all = unread().await;
    let [newest, middle, oldest] = &all[..] else { panic!("three: {all:?}") };
    let read = async |caller: &Caller, id: &str| {
        caller.put(&format!("/v1/notifications/{id}/read")).answer().await.unwrap().status.as_u16()
    };
    assert_eq!([read(caller, middle).await, read(caller, middle).await], [204, 204]);
    assert_eq!(unread().await, [newest.as_str(), oldest]);
    let stranger = desk.resident().await;
    assert_eq!(read(stranger.caller(), newest).await, 404, "it belongs to another resident");
    assert_eq!(unread().await.len(), 2);

    let up_to = json!({"up_to": newest});
    caller.put("/v1/notifications/read").json(&up_to).success().await.unwrap();
    assert_eq!(unread().await, [] as [String; 0]);
    let inbox = caller.get("/v1/notifications").success().await.unwrap();
    assert!(inbox.rows().unwrap().iter().all(|it| it["read_at"].is_string()), "{}", inbox.body);
    desk.close().await;
}
