//! Messages of which nobody knows whether they were taken. Receipts and refusals tell; what stays unproved is told over
//! another channel, and a sign-in code that may have come is not sent again.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use songda::demo::resident::Resident;
use songda::demo::wait;
use songda::domain::kernel::clock::{Clock, fresh};
use songda::domain::kernel::ids::JobId;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::doubt::Fate;
use songda::kill_point::Step;
use songda::sandbox::faults::{FaultKind, FaultOrder, Often};
use songda::store::push_receipts::{self, InDoubt, Receipt};

use crate::delivery::consents::{balance, report, tap};
use crate::resilience::kills::{QUICK, died};
use crate::support::database::Record;
use crate::support::desk::{Desk, PATIENCE, wait_until};
use crate::support::office::{back_office, result};

const ONCE: Often = Often::Times(1);
const ALWAYS: Often = Often::Share(1.0);

/// A resident who consented to so many messages of WeChat, and has a phone for SMS.
struct Scene {
    desk: Desk,
    resident: Resident,
    openid: String,
}

impl Scene {
    async fn open(consents: usize, settings: &[(&str, &str)]) -> Self {
        let mut desk = Desk::open_with(&[&QUICK[..], settings].concat()).await;
        desk.leave_jobs();
        let (resident, openid) = desk.resident().await;
        // WeChat tells of two taps in one second as if they were one; the client counts them.
        for _ in 0..consents {
            tap(&desk, &openid, "accept").await;
            report(&resident, "accept").await;
        }
        Self { desk, resident, openid }
    }

    fn fault(&self, operation: &str, fault: FaultKind, often: Often) {
        order(&self.desk, "wechat", operation, fault, often);
    }

    /// The resident applies, and an officer grants it; the case's number.
    async fn granted(&self) -> String {
        let address = self.resident.add_address().await.unwrap();
        let draft = self.resident.draft("JT-0045", &json!({"way": "courier", "address": address})).await.unwrap();
        let submitted = self.resident.submit(&draft).await.unwrap();
        let officer = self.desk.officer("public-security").await;
        officer.accept(&submitted.id).await.unwrap();
        officer.grant(&submitted.id, &json!({"title": "居住证"})).await.unwrap();
        submitted.number
    }

    /// How many copies of it WeChat showed, and how many came by SMS.
    fn copies(&self, number: &str) -> (u32, u32) {
        let phones = &self.desk.sandbox.world().phones;
        let copies = |address: &str| {
            let messages = phones.of(address).into_iter();
            let about = messages.filter(|message| message.fields.values().any(|field| field == number));
            about.map(|message| message.copies).sum()
        };
        (copies(&self.openid), copies(self.resident.applicant.phone))
    }

    /// Waits until nothing about it is under way, and says how the pushes over WeChat ended.
    async fn ended(&self) -> Vec<String> {
        let open = "select count(*) from jobs where kind = 'push' and state = 'pending'";
        let over = async || sqlx::query_scalar::<_, i64>(open).fetch_one(&self.desk.database).await.unwrap() == 0;
        let ended = wait::until("all pushes came to an end", PATIENCE, async || Ok(over().await.then_some(()))).await;
        assert!(ended.is_ok(), "{ended:?}: {:#?}", self.desk.undone().await);
        let outcomes = "select a.outcome from attempts a join jobs j on j.id = a.job_id
                        where j.lane = 'push.wechat' and j.kind = 'push' and a.outcome <> 'snoozed' order by j.id, a.fence";
        sqlx::query_scalar(outcomes).fetch_all(&self.desk.database).await.unwrap()
    }
}

fn order(desk: &Desk, gateway: &str, operation: &str, fault: FaultKind, often: Often) {
    let (gateway, operation) = (gateway.to_owned(), Some(operation.to_owned()));
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay: None });
}

#[tokio::test]
async fn where_a_copy_would_be_seen_twice_its_receipt_is_awaited() {
    let scene = Scene::open(2, &[]).await;
    scene.fault("send", FaultKind::TimeoutAfterCommit, ONCE);
    let first = scene.granted().await;
    assert_eq!(scene.ended().await, ["ambiguous", "confirmed"]);
    let second = scene.granted().await;
    assert_eq!(scene.ended().await, ["ambiguous", "confirmed", "delivered"]);
    assert_eq!([scene.copies(&first), scene.copies(&second)], [(1, 0), (1, 0)]);
    assert_eq!(balance(&scene.resident).await, 0, "each used one consent");
    scene.desk.close().await;
}

#[tokio::test]
async fn where_no_receipt_comes_another_copy_is_sent() {
    let scene = Scene::open(2, &[("SONGDA_RECEIPT_WITHIN", "500ms")]).await;
    scene.fault("send", FaultKind::TimeoutBefore, ONCE);
    let number = scene.granted().await;
    assert_eq!(scene.ended().await, ["ambiguous", "delivered"]);
    assert_eq!(scene.copies(&number), (1, 0));
    scene.desk.close().await;
}

#[tokio::test]
async fn a_refusal_that_a_receipt_confirms_is_an_arrival() {
    let scene = Scene::open(1, &[]).await;
    scene.fault("send", FaultKind::TimeoutAfterCommit, ONCE);
    let number = scene.granted().await;
    let ended = scene.ended().await;
    // The receipt may be quicker than the second copy.
    assert!(matches!(&ended[..], [first, .., last] if first == "ambiguous" && last == "confirmed"), "{ended:?}");
    assert_eq!(scene.copies(&number), (1, 0));
    scene.desk.close().await;
}

#[tokio::test]
async fn a_refusal_without_a_receipt_is_no_arrival() {
    let scene = Scene::open(1, &[("SONGDA_CONFIRM_WITHIN", "1s")]).await;
    scene.fault("send", FaultKind::TimeoutBefore, ONCE);
    scene.fault("send", FaultKind::UserRefused, ONCE);
    let number = scene.granted().await;
    assert_eq!(scene.ended().await, ["ambiguous", "unconfirmed", "refused"]);
    assert_eq!(scene.copies(&number), (0, 1), "WeChat never had it");
    scene.desk.close().await;
}

#[tokio::test]
async fn whom_no_receipt_proves_told_is_rather_told_twice() {
    let scene = Scene::open(1, &[("SONGDA_CONFIRM_WITHIN", "1s")]).await;
    scene.fault("send", FaultKind::TimeoutAfterCommit, ONCE);
    scene.fault("callback", FaultKind::DropCallback, ALWAYS);
    let number = scene.granted().await;
    assert_eq!(scene.ended().await, ["ambiguous", "unconfirmed", "refused"]);
    assert_eq!(scene.copies(&number), (1, 1));
    scene.desk.close().await;
}

#[tokio::test]
async fn a_wechat_that_hangs_for_good_gives_way_to_sms() {
    let scene = Scene::open(1, &[("SONGDA_RECEIPT_WITHIN", "500ms")]).await;
    // Longer than anybody waits for it.
    let (gateway, delay) = ("wechat".to_owned(), Some(Duration::from_millis(2_500)));
    let (operation, fault, often) = (Some("send".to_owned()), FaultKind::TimeoutBefore, ALWAYS);
    scene.desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay });
    let number = scene.granted().await;
    let told = async || scene.copies(&number) == (0, 1);
    wait_until("SMS tells", told).await;
    let ended = scene.ended().await;
    let unheard = ended.iter().filter(|outcome| *outcome == "ambiguous").count();
    assert_eq!(unheard, 5, "four copies, and then no more: {ended:?}");
    let held: i64 =
        sqlx::query_scalar("select count(*) from consent_holds").fetch_one(&scene.desk.database).await.unwrap();
    assert_eq!(held, 0, "its consent is not held for ever");
    scene.desk.close().await;
}

/// A gateway may take a message long after its sender gave up waiting, and brought it by another copy.
#[tokio::test]
async fn the_receipt_of_a_copy_taken_late_proves_nothing_of_another_push() {
    let record = Record::create().await;
    let mut connection = record.store.connection().await.unwrap();
    let (done, doubted) = (fresh(JobId::from_uuid), fresh(JobId::from_uuid));
    let jobs = "insert into jobs (id, lane, kind, key, payload, state, due_at, unclear, created_at, finished_at)
                values ($1, 'push.wechat', 'push', 'one', '{}', 'done', now(), 1, now(), now() - interval '30 seconds'),
                       ($2, 'push.wechat', 'push', 'other', '{}', 'pending', now(), 1, now(), null)";
    sqlx::query(jobs).bind(done.uuid()).bind(doubted.uuid()).execute(&mut *connection).await.unwrap();
    let (channel, recipient, template) = (&ChannelCode::new("wechat"), "somebody", "news");
    let (now, pushes) = (Clock::system().now(), ["one".to_owned(), "other".to_owned()]);
    let since = now - TimeDelta::seconds(10);
    let doubt = InDoubt { job: doubted, channel, recipient, template, since, pushes: &pushes };
    let mut fates = Vec::new();
    for reference in ["1", "2"] {
        let receipt = Receipt { channel, reference, recipient, template, fate: Fate::Arrived, happened_at: now };
        assert!(push_receipts::keep(&mut connection, &receipt).await.unwrap());
        fates.push(push_receipts::about(&mut connection, doubt).await.unwrap().fate());
    }
    assert_eq!(fates, [None, Some(Fate::Arrived)], "the first may be of the push that is done");
    drop(connection);
    record.drop().await;
}

#[tokio::test]
async fn a_token_that_does_not_come_leaves_no_doubt() {
    let scene = Scene::open(2, &[]).await;
    scene.fault("stable_token", FaultKind::TimeoutBefore, Often::Times(2));
    let number = scene.granted().await;
    assert_eq!(scene.ended().await, ["unavailable", "unavailable", "delivered"], "nothing was handed over");
    assert_eq!(scene.copies(&number), (1, 0));
    scene.desk.close().await;
}

#[tokio::test]
async fn what_was_taken_and_did_not_arrive_goes_on_to_sms() {
    let scene = Scene::open(2, &[]).await;
    scene.fault("delivery", FaultKind::Undelivered, ONCE);
    let number = scene.granted().await;
    let told = async || scene.copies(&number) == (0, 1);
    wait_until("SMS tells", told).await;
    let brought = "select coalesce(delivered_by = 'sms_aliyun', false) from notifications where event = 'granted'";
    let brought = async || sqlx::query_scalar(brought).fetch_one(&scene.desk.database).await.unwrap();
    wait_until("the inbox says so", brought).await;
    assert_eq!(balance(&scene.resident).await, 0, "the receipt says that the person refuses");
    scene.desk.close().await;
}

/// WeChat refuses the second of two messages that are handed over to one person at once (43108).
#[tokio::test]
async fn messages_to_one_person_go_one_after_the_other() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let (resident, openid) = desk.resident().await;
    for _ in 0..3 {
        tap(&desk, &openid, "accept").await;
        report(&resident, "accept").await;
    }
    let (gateway, delay) = ("wechat".to_owned(), Some(Duration::from_millis(300)));
    let (operation, fault, often) = (Some("send".to_owned()), FaultKind::Slow, ALWAYS);
    desk.sandbox.world().faults.order(FaultOrder { gateway, operation, fault, often, delay });
    let results = [(); 3].map(|()| result(resident.applicant.phone));
    back_office(&desk).await.hand_in(&results).await.unwrap();
    let world = desk.sandbox.world();
    let shown = async || world.phones.of(&openid).iter().map(|message| message.copies).sum::<u32>() == 3;
    wait_until("all three are shown", shown).await;
    assert_eq!(world.counters.get("wechat", "send 43108"), 0);
    let waited = "select count(*) from attempts where detail like 'another message to this recipient%'";
    let waited: i64 = sqlx::query_scalar(waited).fetch_one(&desk.database).await.unwrap();
    assert!(waited > 0, "they were due at the same time");
    desk.close().await;
}

/// The days of all copies count: the first try, of the day before, was no copy at all.
#[tokio::test]
async fn an_sms_is_looked_for_on_the_day_of_its_copy() {
    let mut desk = Desk::open_with(&[&QUICK[..], &[("SONGDA_RETRY_FIRST", "3s")]].concat()).await;
    desk.leave_jobs();
    for fault in [FaultKind::Throttle, FaultKind::TimeoutAfterCommit] {
        order(&desk, "sms_aliyun", "SendSms", fault, ONCE);
    }
    let decided = crate::support::office::decide(&desk, 1).await.remove(0);
    let a_day_before = "update attempts set started_at = started_at - interval '1 day' where outcome = 'throttled'";
    let moved = async || sqlx::query(a_day_before).execute(&desk.database).await.unwrap().rows_affected() == 1;
    wait_until("it was tried once", moved).await;
    crate::support::office::came_once(&desk, &[decided]).await;
    desk.close().await;
}

/// Asks for a sign-in code, and says whom for.
async fn ask_for_a_code(desk: &Desk) -> String {
    let phone = songda::demo::fresh_phone();
    desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
    phone
}

async fn is_not_sent_again(desk: &Desk, phone: &str) {
    let done = "select outcome from attempts a join jobs j on j.id = a.job_id
                where j.kind = 'send_login_code' and j.state = 'done' order by a.fence desc limit 1";
    let mut outcome: Option<String> = None;
    let over = async || {
        outcome = sqlx::query_scalar(done).fetch_optional(&desk.database).await.unwrap();
        outcome.is_some()
    };
    wait_until("the job is over", over).await;
    assert_eq!(outcome.as_deref(), Some("ambiguous"));
    let copies: Vec<u32> = desk.sandbox.world().phones.of(phone).iter().map(|message| message.copies).collect();
    assert_eq!(copies, [1]);
}

#[tokio::test]
async fn a_code_whose_answer_was_lost_is_not_sent_again() {
    let desk = Desk::open_with(&QUICK).await;
    order(&desk, "sms_aliyun", "SendSms", FaultKind::TimeoutAfterCommit, ONCE);
    let phone = ask_for_a_code(&desk).await;
    is_not_sent_again(&desk, &phone).await;
    desk.close().await;
}

#[tokio::test]
async fn a_code_whose_worker_died_is_not_sent_again() {
    let desk = Desk::open_idle(&QUICK).await;
    let phone = ask_for_a_code(&desk).await;
    died(&desk, desk.worker(Some(Step::Called)), Step::Called).await;
    let _successor = desk.worker(None);
    is_not_sent_again(&desk, &phone).await;
    desk.close().await;
}
