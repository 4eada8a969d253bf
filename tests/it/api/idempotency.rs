//! An answer that was lost on its way: whoever asks again under the same key gets it again, and nothing happens twice.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};

use crate::support::acts::refused;
use crate::support::desk::Desk;

const POLICE: &str = "public-security";
const ITEM: &str = "JT-0045";

/// Asks, asks again with the same key, and once more for something else with it; the first answer.
async fn thrice(ask: impl AsyncFn(&str, &Value) -> Reply, body: &Value, other: &Value) -> Reply {
    let key = fresh_key();
    let (first, again) = (ask(&key, body).await, ask(&key, body).await);
    assert!(first.status.is_success(), "{}", first.body);
    assert_eq!((again.status, &again.body, again.header("etag")), (first.status, &first.body, first.header("etag")));
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    refused(&ask(&key, other).await, 422, "idempotency_key_reused");
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn what_applicants_and_officers_do_is_done_once() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let draft = resident.draft(ITEM, &json!({"way": "electronic"})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let (path, staff) = (format!("/v1/cases/{case}"), format!("/staff/v1/cases/{case}"));
    let officer = desk.officer(POLICE).await;
    let etag = async || officer.caller().get(&staff).success().await.unwrap().etag().to_owned();
    let post = async |caller: &Caller, path: &str, etag: &str, key: &str, body: &Value| {
        caller.post(path).if_match(etag).once(key).json(body).answer().await.unwrap()
    };

    let seen = etag().await;
    let notice = async |key: &str, body: &Value| {
        post(officer.caller(), &format!("{staff}/supplement-notice"), &seen, key, body).await
    };
    thrice(notice, &json!({"points": ["照片"]}), &json!({"points": ["证明"]})).await;
    let answer =
        async |key: &str, body: &Value| post(resident.caller(), &format!("{path}/supplement"), "*", key, body).await;
    thrice(answer, &json!({"note": "已补交"}), &json!({"note": "没有"})).await;

    let (seen, key) = (etag().await, fresh_key());
    let accept = async || post(officer.caller(), &format!("{staff}/acceptance"), &seen, &key, &json!({})).await;
    let (first, again) = (accept().await, accept().await);
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"), "{}", again.body);
    assert_eq!(again.body, first.body, "not refused as stale: it is this request that changed the case");

    let disclose = async |key: &str, body: &Value| {
        officer.caller().post(&format!("{staff}/disclosures")).once(key).json(body).answer().await.unwrap()
    };
    thrice(disclose, &json!({"reason": "核对身份证件"}), &json!({"reason": "好奇"})).await;

    let withdraw =
        async |key: &str, body: &Value| post(resident.caller(), &format!("{path}/withdrawal"), "*", key, body).await;
    thrice(withdraw, &json!({"reason": "不办了"}), &json!({"reason": "搬家了"})).await;

    let history = officer.caller().get(&format!("{staff}/history")).success().await.unwrap();
    assert_eq!(history.rows().unwrap().len(), 6, "each act once: {}", history.body);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_person_is_added_once() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let home = |detail: &str| json!({"name": "王小明", "phone": "13800138000", "region": "320413", "detail": detail, "is_default": true});
    let add = async |key: &str, body: &Value| {
        resident.caller().post("/v1/addresses").once(key).json(body).answer().await.unwrap()
    };
    thrice(add, &home("清风路1号"), &home("清风路2号")).await;
    let book = resident.caller().get("/v1/addresses").success().await.unwrap();
    assert_eq!(book.rows().unwrap().len(), 1, "{}", book.body);

    const TEMPLATE: &str = "songda_decision_zh_000000000000000000000001";
    let report = async |key: &str, body: &Value| {
        resident.caller().post("/v1/consents").once(key).json(body).answer().await.unwrap()
    };
    let told = |answer: &str| json!({"channel": "wechat", "results": {TEMPLATE: answer}});
    thrice(report, &told("accept"), &told("reject")).await;
    let standing = resident.caller().get("/v1/consents").success().await.unwrap();
    let of_decisions = standing.rows().unwrap().iter().find(|row| row["template"] == TEMPLATE).unwrap();
    assert_eq!(of_decisions["balance"], 1, "one tap is one consent: {}", standing.body);

    let upload = async |key: &str, body: &Value| {
        let content = format!("%PDF-1.4\n% {body}\n%%EOF\n").into_bytes();
        let part = reqwest::multipart::Part::bytes(content).file_name("scan.pdf").mime_str("application/pdf").unwrap();
        resident.caller().post("/v1/uploads").once(key).file(part).answer().await.unwrap()
    };
    thrice(upload, &json!(1), &json!(2)).await;
    let rows: i64 = sqlx::query_scalar("select count(*) from uploads").fetch_one(&desk.database).await.unwrap();
    assert_eq!((rows, contents(&desk)), (1, 1), "nor does a content stay that nobody knows of");
    desk.close().await;
}

/// How many contents lie in the uploads' folder.
fn contents(desk: &Desk) -> usize {
    let days = std::fs::read_dir(desk.folder.join("uploads")).unwrap();
    days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap()).count()
}
