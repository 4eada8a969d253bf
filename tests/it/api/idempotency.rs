//! A request whose answer was lost is repeated under its idempotency key: it gets the first answer, and nothing happens
//! twice.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};
use songda::demo::pdf::empty_page;

use crate::support::acts::stored_contents;
use crate::support::answers::{assert_problem, replayed};
use crate::support::consents::{TEMPLATE, balance};
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};

/// Asks twice under one key, and a third time with another body. Returns the first answer.
async fn assert_done_once(ask: impl AsyncFn(&str, &Value) -> Reply, body: &Value, other: &Value) -> Reply {
    let key = fresh_key();
    let first = ask(&key, body).await;
    let again = ask(&key, body).await;
    assert!(first.status.is_success(), "{}", first.body);
    assert_eq!((again.status, &again.body, again.header("etag")), (first.status, &first.body, first.header("etag")));
    assert_eq!((replayed(&first), replayed(&again)), ("", "true"));
    assert_problem(&ask(&key, other).await, 422, "idempotency_key_reused");
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_act_on_a_case_is_done_once() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let path = case.path();
    let staff = case.staff_path();
    let resident = case.resident.caller();
    let officer = desk.officer(AGENCY).await;
    let etag = async || officer.caller().get(&staff).success().await.unwrap().etag().to_owned();
    let post = async |caller: &Caller, path: &str, etag: &str, key: &str, body: &Value| {
        caller.post(path).if_match(etag).once(key).json(body).answer().await.unwrap()
    };

    let seen = etag().await;
    let notice = async |key: &str, body: &Value| {
        post(officer.caller(), &format!("{staff}/supplement-notice"), &seen, key, body).await
    };
    assert_done_once(notice, &json!({"points": ["照片"]}), &json!({"points": ["证明"]})).await;
    let answer = async |key: &str, body: &Value| post(resident, &format!("{path}/supplement"), "*", key, body).await;
    assert_done_once(answer, &json!({"note": "已补交"}), &json!({"note": "没有"})).await;

    let seen = etag().await;
    let key = fresh_key();
    let accept = async || post(officer.caller(), &format!("{staff}/acceptance"), &seen, &key, &json!({})).await;
    let first = accept().await;
    let again = accept().await;
    assert_eq!((again.status.as_u16(), replayed(&again)), (200, "true"), "{}", again.body);
    assert_eq!(again.body, first.body, "not refused as stale, because this request changed the case");

    let disclose = async |key: &str, body: &Value| {
        officer.caller().post(&format!("{staff}/disclosures")).once(key).json(body).answer().await.unwrap()
    };
    assert_done_once(disclose, &json!({"reason": "核对身份证件"}), &json!({"reason": "好奇"})).await;

    let withdraw = async |key: &str, body: &Value| post(resident, &format!("{path}/withdrawal"), "*", key, body).await;
    assert_done_once(withdraw, &json!({"reason": "不办了"}), &json!({"reason": "搬家了"})).await;

    let history = officer.caller().get(&format!("{staff}/history")).success().await.unwrap();
    assert_eq!(history.rows().unwrap().len(), 7, "each act once, and each of two disclosures: {}", history.body);
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_act_is_refused_if_the_case_has_another_owner_since() {
    let desk = Desk::open().await;
    let case = desk.journey(ITEM).submitted().await;
    let key = fresh_key();
    let withdraw = async || {
        let call = case.resident.caller().post(&format!("{}/withdrawal", case.path())).if_match("*").once(&key);
        call.json(&json!({"reason": "不办了"})).answer().await.unwrap()
    };
    assert_eq!(withdraw().await.status.as_u16(), 200);
    give_case_away(&desk).await;
    assert_problem(&withdraw().await, 404, "not_found");
    desk.close().await;
}

#[tokio::test]
async fn a_repeated_correction_of_the_address_is_refused_if_the_case_has_another_owner_since() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let case = desk.journey(ITEM).by_courier().submitted().accepted().granted().await;
    desk.finish().await;
    desk.execute("update parcels set state = 'cancelled'").await;
    let address = case.resident.add_address().await.unwrap();
    let key = fresh_key();
    let correct = async || {
        let call = case.resident.caller().put(&format!("{}/delivery", case.path())).if_match("*").once(&key);
        call.json(&json!({"address": address})).answer().await.unwrap()
    };
    assert_eq!(correct().await.status.as_u16(), 200);
    assert_eq!(replayed(&correct().await), "true");
    give_case_away(&desk).await;
    assert_problem(&correct().await, 404, "not_found");
    desk.close().await;
}

/// Makes the only case belong to another person.
async fn give_case_away(desk: &Desk) {
    desk.stranger().await;
    desk.execute("update cases set person_id = (select id from people where id <> cases.person_id)").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_address_consent_or_upload_is_added_once() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let home = |detail: &str| json!({"name": "王小明", "phone": "13800138000", "region": "320413", "detail": detail, "is_default": true});
    let add = async |key: &str, body: &Value| {
        resident.caller().post("/v1/addresses").once(key).json(body).answer().await.unwrap()
    };
    assert_done_once(add, &home("清风路1号"), &home("清风路2号")).await;
    let book = resident.caller().get("/v1/addresses").success().await.unwrap();
    assert_eq!(book.rows().unwrap().len(), 1, "{}", book.body);

    let report = async |key: &str, body: &Value| {
        resident.caller().post("/v1/consents").once(key).json(body).answer().await.unwrap()
    };
    let answered = |answer: &str| json!({"channel": "wechat", "results": {TEMPLATE: answer}});
    assert_done_once(report, &answered("accept"), &answered("reject")).await;
    assert_eq!(balance(&resident).await, 1, "one tap is one consent");

    let upload = async |key: &str, body: &Value| {
        let part = reqwest::multipart::Part::bytes(empty_page(&body.to_string()))
            .file_name("scan.pdf")
            .mime_str("application/pdf")
            .unwrap();
        resident.caller().post("/v1/uploads").once(key).file(part).answer().await.unwrap()
    };
    assert_done_once(upload, &json!(1), &json!(2)).await;
    let rows = desk.count("select count(*) from uploads").await;
    assert_eq!((rows, stored_contents(&desk)), (1, 1), "no content without a row is left either");
    desk.close().await;
}
