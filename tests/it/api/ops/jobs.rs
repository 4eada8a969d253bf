//! A dead letter (a job that failed for good), shown and replayed over the API and by `songda jobs`.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::domain::kernel::ids::JobId;

use crate::support::answers::assert_problem;
use crate::support::consents::tap;
use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::wait::wait_until;

/// Makes a dead letter: a push that WeChat refuses because of our settings, so that the message goes out by SMS
/// instead. Returns the id of the job.
async fn dead_letter(desk: &Desk) -> String {
    let resident = desk.resident_named(&format!("{}-40037", fresh_key())).await;
    tap(desk, resident.openid(), "accept").await;
    Office::register(desk).await.hand_in(&[result(resident.phone())]).await;
    let sent = "select count(*) = 1 from jobs where kind = 'push' and lane = 'push.sms_aliyun' and state = 'done'";
    wait_until("the SMS is sent", async || desk.scalar(sent).await).await;
    JobId::from_uuid(desk.scalar("select id from jobs where state = 'dead'").await).to_string()
}

async fn jobs(operator: &Caller, query: &[(&str, &str)]) -> Vec<Value> {
    operator.get("/ops/v1/jobs").query(query).success().await.unwrap().rows().unwrap().to_vec()
}

#[tokio::test]
async fn a_dead_letter_is_listed_shown_and_replayed() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let dead = dead_letter(&desk).await;
    let officer = desk.operator().await;
    let operator = officer.caller();

    let found = jobs(operator, &[("state", "dead"), ("lane", "push.wechat"), ("kind", "push")]).await;
    let [found] = &found[..] else { panic!("one dead letter: {found:?}") };
    assert_eq!((found["id"].as_str(), found["state"].as_str()), (Some(dead.as_str()), Some("dead")));
    assert!(found["cause"].as_str().unwrap().contains("40037"), "{found}");
    assert_eq!(jobs(operator, &[("state", "dead"), ("lane", "courier.ems")]).await, [] as [Value; 0]);
    let first = jobs(operator, &[("limit", "1")]).await;
    let all = jobs(operator, &[]).await;
    assert_eq!((first.len(), &first[0]["id"]), (1, &all[0]["id"]));

    let path = format!("/ops/v1/jobs/{dead}");
    let shown = operator.get(&path).success().await.unwrap();
    assert_eq!(shown.at("/attempts/0/outcome").unwrap(), "misconfigured");
    let listed = desk.songda(&["jobs", "list"]).await;
    assert!(listed.contains(&dead) && listed.contains("40037"), "{listed}");
    let printed = desk.songda(&["jobs", "show", &dead]).await;
    assert!(printed.contains("misconfigured") && printed.lines().count() == 2, "{printed}");

    let order = |dry_run: bool| json!({"lane": "push.wechat", "cause": "40037", "dry_run": dry_run});
    let counted = operator.post("/ops/v1/job-replays").json(&order(true)).success().await.unwrap();
    assert_eq!(counted.body, json!({"matched": 1, "replayed": 0}));
    assert_eq!(operator.post(&format!("{path}/replay")).success().await.unwrap().text("/state").unwrap(), "pending");
    let state = async || operator.get(&path).success().await.unwrap().text("/state").unwrap();
    wait_until("the push ends, because the SMS was sent", async || state().await == "done").await;
    let again = operator.post(&format!("{path}/replay")).answer().await.unwrap();
    assert_problem(&again, 409, "job_not_dead");
    let none = operator.post("/ops/v1/job-replays").json(&order(false)).success().await.unwrap();
    assert_eq!(none.body, json!({"matched": 0, "replayed": 0}));
    desk.close().await;
}
