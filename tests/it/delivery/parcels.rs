//! What a gateway refuses in part, or too late to be undone, and how the promise is kept all the same.

use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::Caller;
use songda::demo::journeys;
use songda::demo::resident::Resident;
use songda::demo::sandbox::HeldParcel;
use songda::demo::{fresh_key, fresh_phone};
use songda::sandbox::faults::{FaultKind, FaultOrder, Often};

use crate::delivery::consents::tap;
use crate::support::acts::{correct_delivery, faults, refused};
use crate::support::desk::{Desk, wait_until};
use crate::support::office::{Decided, back_office, decide, result};

/// Asks the sandbox itself for something.
async fn control(desk: &Desk, path: &str, body: Value) {
    let sandbox = Caller::new(desk.sandbox.base_url().parse().unwrap()).unwrap();
    sandbox.put(path).json(&body).success().await.unwrap_or_else(|mishap| panic!("{path}: {mishap}"));
}

/// WeChat's list of templates, where decisions in Chinese take one phrase only.
fn templates() -> Value {
    let template = |kind: &str, language: &str| {
        let status = if language == "zh" { "phrase2" } else { "thing2" };
        let fields = ["thing1", status, "character_string3", "time4"].map(|field| format!("{{{{{field}.DATA}}}}"));
        let filler = "0".repeat(31 - kind.len());
        let id = format!("songda_{kind}_{language}_{filler}1");
        json!({"priTmplId": id, "title": kind, "type": 2, "content": fields.join("\n")})
    };
    let mut decision = template("decision", "zh");
    decision["keywordEnumValueList"] = json!([{"keywordCode": "phrase2.DATA", "enumValueList": ["已经办结"]}]);
    let others = [("progress", "zh"), ("parcel", "zh"), ("progress", "en"), ("decision", "en"), ("parcel", "en")];
    [decision].into_iter().chain(others.map(|(kind, language)| template(kind, language))).collect()
}

#[tokio::test]
async fn a_message_goes_without_the_page_or_the_words_that_wechat_refuses() {
    let desk = Desk::open().await;
    control(&desk, "/_sandbox/wechat/templates", templates()).await;
    control(&desk, "/_sandbox/wechat/pages", json!(["pages/case/index"])).await;
    journeys::certificate(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    let phones = desk.outside().phones().await.unwrap();
    let wechat: Vec<_> = phones.values().flatten().filter(|message| message.channel == "wechat").collect();
    let decided: Vec<_> = wechat.iter().filter(|message| message.says("已经办结")).collect();
    assert!(matches!(decided[..], [message] if message.fields.contains_key("page")), "{wechat:?}");
    let brought: Vec<_> = wechat.iter().filter(|message| message.says("已经签收")).collect();
    assert!(matches!(brought[..], [message] if !message.fields.contains_key("page")), "{wechat:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_refusal_that_nobody_can_explain_is_tried_three_times_and_then_sent_otherwise() {
    let mut desk = Desk::open_with(&[("SONGDA_RETRY_FIRST", "10ms")]).await;
    desk.leave_jobs();
    let (resident, openid) = desk.resident_called(&format!("{}-12345", fresh_key())).await;
    resident.answer_dialog(&desk.outside(), &openid, "accept").await.unwrap();
    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    let by_sms = async || desk.outside().phone(phone).await.unwrap().iter().any(|message| message.says("准予办理"));
    wait_until("the SMS arrives", by_sms).await;
    let tried: (String, i32) = sqlx::query_as("select cause, attempts from jobs where state = 'dead'")
        .fetch_one(&desk.database)
        .await
        .unwrap();
    assert!(tried.0.starts_with("errcode 12345") && tried.1 == 3, "{tried:?}");
    desk.close().await;
}

/// An openid of another mini-program is as good as none. Where all of them seem to be of another one, ours is the mistake.
#[tokio::test]
async fn where_all_addresses_seem_to_be_gone_no_more_than_one_is_forgotten() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let office = back_office(&desk).await;
    let (gateway, operation) = ("wechat".to_owned(), Some("send".to_owned()));
    let (fault, often) = (FaultKind::UnknownNumber, Often::Share(1.0));
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay: None });
    for _ in 0..3 {
        let (resident, openid) = desk.resident().await;
        tap(&desk, &openid, "accept").await;
        let phone = resident.applicant.phone;
        office.hand_in(&[result(phone)]).await.unwrap();
        let by_sms = async || desk.outside().phone(phone).await.unwrap().iter().any(|message| message.says("准予办理"));
        wait_until("SMS tells", by_sms).await;
    }
    let count = async |sql| sqlx::query_scalar::<_, i64>(sql).fetch_one(&desk.database).await.unwrap();
    assert_eq!(count("select count(*) from wechat_accounts where gone_at is not null").await, 1);
    assert_eq!(count("select count(*) from jobs where state = 'dead' and cause like '%are we who we say%'").await, 2);
    desk.close().await;
}

/// Whoever has two accounts at WeChat, of which one is gone, is still reached by the other.
#[tokio::test]
async fn only_the_address_that_was_tried_is_forgotten() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let newer = fresh_key();
    let attach = json!({"code": format!("wx-{newer}"), "if_taken": "refuse"});
    resident.caller().put("/v1/me/wechat").json(&attach).success().await.unwrap();
    tap(&desk, &format!("openid-{newer}"), "accept").await;
    let (gateway, operation) = ("wechat".to_owned(), Some("send".to_owned()));
    let (fault, often) = (FaultKind::UnknownNumber, Often::Times(1));
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay: None });
    let phone = resident.applicant.phone;
    back_office(&desk).await.hand_in(&[result(phone)]).await.unwrap();
    let by_sms = async || desk.outside().phone(phone).await.unwrap().iter().any(|message| message.says("准予办理"));
    wait_until("SMS tells", by_sms).await;
    let gone = "select array_agg(gone_at is not null order by created_at) from wechat_accounts";
    let gone: Vec<bool> = sqlx::query_scalar(gone).fetch_one(&desk.database).await.unwrap();
    assert_eq!(gone, [false, true], "the older one was not asked about");
    desk.close().await;
}

/// SF takes an order, looks at its address by hand, and finds that it does not deliver there. The resident corrects it.
#[tokio::test]
async fn an_address_that_is_refused_after_a_check_by_hand_is_told_and_corrected() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let phone = fresh_phone();
    let mut decided = result(&phone);
    decided["item_code"] = json!("JT-0067");
    decided["delivery"]["recipient"]["detail"] = json!("待核路1号");
    back_office(&desk).await.hand_in(&[decided]).await.unwrap();
    let ordered = async || job(&desk, "track_parcel").await.is_some();
    wait_until("it is ordered", ordered).await;
    assert_eq!(parcel(&desk).await, ("ordered".to_owned(), None));

    let [held] = &desk.outside().parcels_to(&phone).await.unwrap()[..] else { panic!("one order") };
    let sandbox = Caller::new(desk.sandbox.base_url().parse().unwrap()).unwrap();
    let found = json!({"order_no": held.order_no, "deliverable": false});
    sandbox.post("/_sandbox/sf/checks").json(&found).success().await.unwrap();
    look_now(&desk).await;
    let is_refused = async || parcel(&desk).await.0 == "address_refused";
    wait_until("the parcel is refused", is_refused).await;
    assert_eq!(job(&desk, "track_parcel").await.as_deref(), Some("done"));
    let told = async || desk.outside().phone(&phone).await.unwrap().iter().any(|message| message.says("地址有误"));
    wait_until("the resident is told", told).await;

    let (resident, case) = applicant(&desk, phone).await;
    let caller = resident.caller();
    let address = resident.add_address().await.unwrap();
    let unknown = correct_delivery(caller, &case, "adr_01KAQ8Y7G0E00800000000002A", "*").await;
    assert_eq!(faults(&unknown), [("/address", "unknown")]);
    let correct = || correct_delivery(caller, &case, &address, "*");
    let (one, other) = tokio::join!(correct(), correct());
    let (taken, late) = if one.status.as_u16() == 200 { (one, other) } else { (other, one) };
    assert_eq!(taken.status.as_u16(), 200, "{}", taken.body);
    refused(&late, 409, "parcel_wrong_state");

    let parcels =
        async || caller.get(&format!("/v1/cases/{case}/parcels")).success().await.unwrap().rows().unwrap().to_vec();
    let states = async || parcels().await.iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let waybill = async || parcels().await[1]["waybill"].is_string();
    wait_until("another parcel is ordered", waybill).await;
    let orders = desk.outside().parcels_to(resident.applicant.phone).await.unwrap();
    let [anew] = &orders.iter().filter(|it| it.order_no != held.order_no).collect::<Vec<_>>()[..] else {
        panic!("one more order: {orders:?}")
    };
    let delivered = async || {
        desk.outside().advance(&anew.order_no).await.unwrap();
        states().await == ["address_refused", "delivered"]
    };
    wait_until("the corrected parcel arrives", delivered).await;
    let timeline = resident.timeline(&case).await.unwrap();
    let happened = ["parcel_address_refused", "delivery_corrected", "parcel_scanned"];
    let at =
        happened.map(|kind| timeline.iter().rposition(|step| step["kind"] == kind).unwrap_or_else(|| panic!("{kind}")));
    assert!(at.is_sorted(), "{timeline:?}");
    refused(&correct().await, 409, "parcel_wrong_state");
    desk.close().await;
}

/// The applicant who owns a phone, and their only case.
async fn applicant(desk: &Desk, phone: String) -> (Resident, String) {
    let phone: &'static str = Box::leak(phone.into_boxed_str());
    let who =
        Applicant { name: "王小明", resident_id: "320422198506150024", phone, home: "西城街道清风路1号" };
    let resident = Resident::by_sms(&desk.api, &desk.outside(), who).await.unwrap();
    let cases = resident.caller().get("/v1/cases").success().await.unwrap();
    let case = cases.rows().unwrap()[0]["id"].as_str().unwrap().to_owned();
    (resident, case)
}

/// Does not wait for the next look at the parcel's way.
async fn look_now(desk: &Desk) {
    let now = "update jobs set due_at = now(), offered_at = null where kind = 'track_parcel' and state = 'pending'";
    sqlx::query(now).execute(&desk.database).await.unwrap();
}

/// An order whose answer is lost, and whose parcel EMS collects before it can be withdrawn: adopted, waybill unknown.
async fn adopted(desk: &Desk) -> (Decided, HeldParcel) {
    let sandbox = Caller::new(desk.sandbox.base_url().parse().unwrap()).unwrap();
    let fault = json!({"gateway": "ems", "operation": "020003", "fault": "collected_unheard", "times": 1});
    sandbox.post("/_sandbox/faults").json(&fault).success().await.unwrap();
    let decided = decide(desk, 1).await.remove(0);
    let is_adopted = async || job(desk, "track_parcel").await.is_some();
    wait_until("the order is adopted", is_adopted).await;
    assert_eq!(job(desk, "order_parcel").await.as_deref(), Some("done"));
    assert_eq!(parcel(desk).await, ("ordered".to_owned(), None), "without its waybill");
    let [held] = &desk.outside().parcels_to(&decided.phone).await.unwrap()[..] else { panic!("one order") };
    (decided, held.clone())
}

/// The state of the only job of a kind.
async fn job(desk: &Desk, kind: &str) -> Option<String> {
    let state = sqlx::query_scalar("select state from jobs where kind = $1").bind(kind);
    state.fetch_optional(&desk.database).await.unwrap()
}

/// State and waybill of the only parcel.
async fn parcel(desk: &Desk) -> (String, Option<String>) {
    sqlx::query_as("select state, waybill from parcels").fetch_one(&desk.database).await.unwrap()
}

/// Moves the parcel to the door, where it is the one that was ordered first.
async fn comes_to_the_door(desk: &Desk, decided: &Decided, held: &HeldParcel) {
    let delivered = async || {
        desk.outside().advance(&held.order_no).await.unwrap();
        parcel(desk).await.0 == "delivered"
    };
    wait_until("the parcel is delivered", delivered).await;
    assert_eq!(parcel(desk).await.1.as_ref(), Some(&held.waybill));
    let [at_the_end] = &desk.outside().parcels_to(&decided.phone).await.unwrap()[..] else { panic!("one order") };
    assert_eq!((at_the_end.order_no.as_str(), at_the_end.asked), (held.order_no.as_str(), 1));
}

#[tokio::test]
async fn an_order_that_was_collected_before_it_could_be_withdrawn_is_adopted() {
    let desk = Desk::open_with(&[("SONGDA_CLEAR_UP_AFTER", "100ms")]).await;
    let (decided, held) = adopted(&desk).await;
    comes_to_the_door(&desk, &decided, &held).await;
    desk.close().await;
}

/// SF answers nonsense to an order that it takes, and the first that is heard of it is a call that tells of its whole way. An
/// end is asked for before it is believed, and that question is promised in the same breath.
#[tokio::test]
async fn an_order_of_which_nothing_was_heard_until_it_came_to_the_door_is_asked_about_at_once() {
    let desk = Desk::open_with(&[("SONGDA_CLEAR_UP_AFTER", "1h")]).await;
    let (gateway, operation, fault) = ("sf".to_owned(), "EXP_RECE_CREATE_ORDER".to_owned(), FaultKind::Garbage200);
    let nonsense = FaultOrder { gateway, operation: Some(operation), fault, often: Often::Times(1), delay: None };
    desk.sandbox.world().faults.order(nonsense);
    let phone = fresh_phone();
    let mut result = result(&phone);
    result["item_code"] = json!("JT-0064");
    back_office(&desk).await.hand_in(&[result]).await.unwrap();
    let unheard = "select exists (select from jobs where kind = 'order_parcel' and unclear = 1)";
    let unheard = async || sqlx::query_scalar(unheard).fetch_one(&desk.database).await.unwrap();
    wait_until("nobody knows whether it is ordered", unheard).await;
    assert_eq!(parcel(&desk).await, ("pending".to_owned(), None));

    let [held] = &desk.outside().parcels_to(&phone).await.unwrap()[..] else { panic!("one order") };
    let whole_way = usize::MAX;
    assert!(desk.sandbox.sandbox().advance(&held.order_no, whole_way).is_some_and(|scans| scans > 1));
    wait_until("the parcel is delivered", async || parcel(&desk).await.0 == "delivered").await;
    sqlx::query("update jobs set due_at = now() where kind = 'order_parcel'").execute(&desk.database).await.unwrap();
    desk.close().await;
}

#[tokio::test]
async fn a_waybill_that_is_never_told_is_for_people_until_the_carrier_calls_after_all() {
    let desk = Desk::open_with(&[("SONGDA_CLEAR_UP_AFTER", "100ms")]).await;
    let (decided, held) = adopted(&desk).await;
    let days_later = "update jobs set created_at = created_at - interval '4 days', due_at = now(), offered_at = null
                      where kind = 'track_parcel'";
    sqlx::query(days_later).execute(&desk.database).await.unwrap();
    let is_dead = async || job(&desk, "track_parcel").await.as_deref() == Some("dead");
    wait_until("people are asked to look", is_dead).await;
    comes_to_the_door(&desk, &decided, &held).await;
    desk.close().await;
}
