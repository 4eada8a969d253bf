//! What operators see and do: jobs and lanes over the API, and the same by `songda jobs`.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::demo::officer::DeskOfficer;

use crate::delivery::consents::tap;
use crate::support::desk::{Desk, PASSWORD, wait_until};
use crate::support::office::{back_office, result};

async fn operator(desk: &Desk) -> DeskOfficer {
    let add = ["staff", "add", "operator.one", "--name", "运维", "--agency", "public-security", "--role", "operator"];
    desk.songda(&add).await;
    DeskOfficer::sign_in(&desk.api, "operator.one", PASSWORD).await.unwrap()
}

/// A push that WeChat refuses for a reason that is ours to mend, and that went on over SMS; its job.
async fn dead_letter(desk: &Desk) -> String {
    let (resident, openid) = desk.resident_called(&format!("{}-40037", fresh_key())).await;
    tap(desk, &openid, "accept").await;
    back_office(desk).await.hand_in(&[result(resident.applicant.phone)]).await.unwrap();
    let told = "select count(*) from jobs where kind = 'push' and lane = 'push.sms_aliyun' and state = 'done'";
    let told = async || sqlx::query_scalar::<_, i64>(told).fetch_one(&desk.database).await.unwrap() == 1;
    wait_until("SMS told", told).await;
    let id = sqlx::query_scalar("select id from jobs where state = 'dead'").fetch_one(&desk.database).await.unwrap();
    songda::domain::kernel::ids::JobId::from_uuid(id).to_string()
}

async fn jobs(operator: &Caller, query: &[(&str, &str)]) -> Vec<Value> {
    operator.get("/ops/v1/jobs").query(query).success().await.unwrap().rows().unwrap().to_vec()
}

#[tokio::test]
async fn a_dead_letter_is_found_read_and_replayed() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let (dead, officer) = (dead_letter(&desk).await, operator(&desk).await);
    let operator = officer.caller();

    let found = jobs(operator, &[("state", "dead"), ("lane", "push.wechat"), ("kind", "push")]).await;
    let [found] = &found[..] else { panic!("one dead letter: {found:?}") };
    assert_eq!((found["id"].as_str(), found["state"].as_str()), (Some(dead.as_str()), Some("dead")));
    assert!(found["cause"].as_str().unwrap().contains("40037"), "{found}");
    assert_eq!(jobs(operator, &[("state", "dead"), ("lane", "courier.ems")]).await, [] as [Value; 0]);
    let (first, rest) = (jobs(operator, &[("limit", "1")]).await, jobs(operator, &[]).await);
    assert_eq!((first.len(), &first[0]["id"]), (1, &rest[0]["id"]));

    let path = format!("/ops/v1/jobs/{dead}");
    let shown = operator.get(&path).success().await.unwrap();
    assert_eq!(shown.at("/attempts/0/outcome").unwrap(), "misconfigured");
    let [listed, told] = [desk.songda(&["jobs", "list"]).await, desk.songda(&["jobs", "show", &dead]).await];
    assert!(listed.contains(&dead) && listed.contains("40037"), "{listed}");
    assert!(told.contains("misconfigured") && told.lines().count() == 2, "{told}");

    let order = |dry_run: bool| json!({"lane": "push.wechat", "cause": "40037", "dry_run": dry_run});
    let counted = operator.post("/ops/v1/job-replays").json(&order(true)).success().await.unwrap();
    assert_eq!(counted.body, json!({"matched": 1, "replayed": 0}));
    assert_eq!(operator.post(&format!("{path}/replay")).success().await.unwrap().text("/state").unwrap(), "pending");
    let state = async || operator.get(&path).success().await.unwrap().text("/state").unwrap();
    wait_until("SMS told it already", async || state().await == "done").await;
    let again = operator.post(&format!("{path}/replay")).answer().await.unwrap();
    assert_eq!((again.status.as_u16(), again.at("/code").unwrap()), (409, &json!("job_not_dead")));
    let none = operator.post("/ops/v1/job-replays").json(&order(false)).success().await.unwrap();
    assert_eq!(none.body, json!({"matched": 0, "replayed": 0}));
    desk.close().await;
}

#[tokio::test]
async fn lanes_are_shown_even_where_nobody_works_them() {
    let mut desk = Desk::open_idle(&[]).await;
    desk.leave_jobs();
    let left_over = "insert into jobs (id, lane, kind, key, payload, due_at, offered_at, created_at)
                     select gen_random_uuid(), lane, 'push', lane, '{}', now(), case when lane = 'push.owl' then now() end, now()
                     from unnest(array['push.owl', 'courier.snail', 'push.wechat']) lane";
    sqlx::query(left_over).execute(&desk.database).await.unwrap();
    let officer = operator(&desk).await;
    let lanes = officer.caller().get("/ops/v1/lanes").success().await.unwrap().rows().unwrap().to_vec();
    let pending = |name: &str| {
        let lane = lanes.iter().find(|lane| lane["lane"] == name);
        lane.unwrap_or_else(|| panic!("no {name}: {lanes:?}"))["pending"].as_i64().unwrap()
    };
    assert_eq!(["push.wechat", "push.owl", "courier.snail", "courier.ems"].map(pending), [1, 1, 1, 0]);
    desk.close().await;
}
