//! Orders that a carrier refuses after accepting them, or accepts without an answer. Each recipient gets one parcel in
//! the end.

use serde_json::json;
use songda::demo::fresh_phone;
use songda::demo::resident::Resident;
use songda::demo::sandbox::HeldParcel;
use songda::sandbox::faults::FaultKind;

use crate::support::acts::correct_delivery;
use crate::support::answers::{assert_problem, faults};
use crate::support::arrivals::Decided;
use crate::support::desk::Desk;
use crate::support::office::{Office, decide, result};
use crate::support::people::applicant;
use crate::support::wait::wait_until;

/// An SQL statement that makes the job that tracks the parcel due now.
const TRACK_NOW: &str =
    "update jobs set due_at = now(), offered_at = null where kind = 'track_parcel' and state = 'pending'";

/// Returns the state of the only job of a kind.
async fn job(desk: &Desk, kind: &str) -> Option<String> {
    let state = sqlx::query_scalar("select state from jobs where kind = $1").bind(kind);
    state.fetch_optional(&desk.database).await.unwrap()
}

/// Returns the state and the waybill of the only parcel.
async fn parcel(desk: &Desk) -> (String, Option<String>) {
    sqlx::query_as("select state, waybill from parcels").fetch_one(&desk.database).await.unwrap()
}

/// Returns the carriers' only order for a recipient with this phone.
async fn only_order(desk: &Desk, phone: &str) -> HeldParcel {
    let [order] = &desk.outside().parcels_to(phone).await.unwrap()[..] else { panic!("one order") };
    order.clone()
}

/// Orders a parcel. SF accepts the order at first, but then checks the address by hand and finds it undeliverable.
async fn refused_after_a_check(desk: &Desk, phone: &str) -> HeldParcel {
    let mut decided = result(phone);
    decided["item_code"] = json!("JT-0067");
    decided["delivery"]["recipient"]["detail"] = json!("待核路1号");
    Office::register(desk).await.hand_in(&[decided]).await;
    wait_until("the parcel is ordered", async || job(desk, "track_parcel").await.is_some()).await;
    assert_eq!(parcel(desk).await, ("ordered".to_owned(), None));

    let held = only_order(desk, phone).await;
    let found = json!({"order_no": held.order_no, "deliverable": false});
    desk.control().post("/_sandbox/sf/checks").json(&found).success().await.unwrap();
    desk.execute(TRACK_NOW).await;
    wait_until("the parcel is refused", async || parcel(desk).await.0 == "address_refused").await;
    assert_eq!(job(desk, "track_parcel").await.as_deref(), Some("done"));
    held
}

/// Returns the resident who owns a phone, and the id of the resident's only case.
async fn owner_of(desk: &Desk, phone: String) -> (Resident, String) {
    let resident = Resident::by_sms(&desk.api, &desk.outside(), applicant(phone)).await.unwrap();
    let cases = resident.caller().get("/v1/cases").success().await.unwrap();
    let case = cases.rows().unwrap()[0]["id"].as_str().unwrap().to_owned();
    (resident, case)
}

#[tokio::test]
async fn a_resident_corrects_an_address_that_the_carrier_refused_after_a_check_by_hand() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let phone = fresh_phone();
    let held = refused_after_a_check(&desk, &phone).await;
    let notified = async || desk.outside().phone(&phone).await.unwrap().iter().any(|sms| sms.says("地址有误"));
    wait_until("the resident is notified", notified).await;

    let (resident, case) = owner_of(&desk, phone).await;
    let caller = resident.caller();
    let address = resident.add_address().await.unwrap();
    let unknown = correct_delivery(caller, &case, "adr_01KAQ8Y7G0E00800000000002A", "*").await;
    assert_eq!(faults(&unknown), [("/address", "unknown")]);
    let correct = || correct_delivery(caller, &case, &address, "*");
    let (one, other) = tokio::join!(correct(), correct());
    let (accepted, late) = if one.status.as_u16() == 200 { (one, other) } else { (other, one) };
    assert_eq!(accepted.status.as_u16(), 200, "{}", accepted.body);
    assert_problem(&late, 409, "parcel_wrong_state");

    let parcels =
        async || caller.get(&format!("/v1/cases/{case}/parcels")).success().await.unwrap().rows().unwrap().to_vec();
    let states = async || parcels().await.iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    wait_until("another parcel is ordered", async || parcels().await[1]["waybill"].is_string()).await;
    let orders = desk.outside().parcels_to(resident.applicant.phone).await.unwrap();
    let [second] = &orders.iter().filter(|it| it.order_no != held.order_no).collect::<Vec<_>>()[..] else {
        panic!("one more order: {orders:?}")
    };
    let delivered = async || {
        desk.outside().advance(&second.order_no).await.unwrap();
        states().await == ["address_refused", "delivered"]
    };
    wait_until("the corrected parcel arrives", delivered).await;
    let timeline = resident.timeline(&case).await.unwrap();
    let happened = ["parcel_address_refused", "delivery_corrected", "parcel_scanned"];
    let at =
        happened.map(|kind| timeline.iter().rposition(|step| step["kind"] == kind).unwrap_or_else(|| panic!("{kind}")));
    assert!(at.is_sorted(), "{timeline:?}");
    assert_problem(&correct().await, 409, "parcel_wrong_state");
    desk.close().await;
}

/// Makes an order whose answer is lost, and whose parcel EMS collects before the order can be withdrawn. Songda then
/// adopts the order without knowing its waybill.
async fn adopted(desk: &Desk) -> (Decided, HeldParcel) {
    desk.fault("ems", FaultKind::CollectedUnheard).on("020003").once();
    let decided = decide(desk, 1).await.remove(0);
    wait_until("the order is adopted", async || job(desk, "track_parcel").await.is_some()).await;
    assert_eq!(job(desk, "order_parcel").await.as_deref(), Some("done"));
    assert_eq!(parcel(desk).await, ("ordered".to_owned(), None), "without its waybill");
    let held = only_order(desk, &decided.phone).await;
    (decided, held)
}

/// Moves the parcel to the door, and asserts that it belongs to the first and only order.
async fn assert_delivered(desk: &Desk, decided: &Decided, held: &HeldParcel) {
    let delivered = async || {
        desk.outside().advance(&held.order_no).await.unwrap();
        parcel(desk).await.0 == "delivered"
    };
    wait_until("the parcel is delivered", delivered).await;
    assert_eq!(parcel(desk).await.1.as_ref(), Some(&held.waybill));
    let order = only_order(desk, &decided.phone).await;
    assert_eq!((order.order_no.as_str(), order.asked), (held.order_no.as_str(), 1));
}

#[tokio::test]
async fn an_order_that_was_collected_before_it_could_be_withdrawn_is_adopted() {
    let desk = Desk::builder().settings(&[("SONGDA_CLEAR_UP_AFTER", "100ms")]).open().await;
    let (decided, held) = adopted(&desk).await;
    assert_delivered(&desk, &decided, &held).await;
    desk.close().await;
}

/// SF accepts an order, but its answer is unreadable. The first readable message is a callback with all scans of the
/// parcel, up to the delivery. The callback proves nothing, so it only makes the worker ask SF at once: first for the
/// order, then for the scans.
#[tokio::test]
async fn a_delivery_reported_for_an_order_of_unknown_outcome_is_verified_at_once() {
    let desk = Desk::builder().settings(&[("SONGDA_CLEAR_UP_AFTER", "1h")]).open().await;
    desk.fault("sf", FaultKind::Garbage200).on("EXP_RECE_CREATE_ORDER").once();
    let phone = fresh_phone();
    let mut result = result(&phone);
    result["item_code"] = json!("JT-0064");
    Office::register(&desk).await.hand_in(&[result]).await;
    let unclear = "select exists (select from jobs where kind = 'order_parcel' and unclear = 1)";
    wait_until("the outcome of the order is unknown", async || desk.scalar(unclear).await).await;
    assert_eq!(parcel(&desk).await, ("pending".to_owned(), None));

    let held = only_order(&desk, &phone).await;
    let whole_way = usize::MAX;
    assert!(desk.sandbox.sandbox().advance(&held.order_no, whole_way).is_some_and(|scans| scans > 1));
    wait_until("the parcel is delivered", async || parcel(&desk).await.0 == "delivered").await;
    assert_eq!(parcel(&desk).await.1.as_ref(), Some(&held.waybill));
    assert_eq!(only_order(&desk, &phone).await.asked, 1);
    desk.close().await;
}

#[tokio::test]
async fn the_tracking_of_a_parcel_without_a_waybill_dies_until_the_carrier_calls() {
    let desk = Desk::builder().settings(&[("SONGDA_CLEAR_UP_AFTER", "100ms")]).open().await;
    let (decided, held) = adopted(&desk).await;
    desk.execute(
        "update jobs set created_at = created_at - interval '4 days', due_at = now(), offered_at = null
         where kind = 'track_parcel'",
    )
    .await;
    let is_dead = async || job(&desk, "track_parcel").await.as_deref() == Some("dead");
    wait_until("the tracking dies, for operators to look at", is_dead).await;
    assert_delivered(&desk, &decided, &held).await;
    desk.close().await;
}
