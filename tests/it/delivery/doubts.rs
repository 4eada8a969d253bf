//! Messages of unknown outcome: the request to the gateway was sent, and no answer came. The gateway's later receipt,
//! or its refusal of a second copy, decides the outcome. If neither comes, the message goes out on another channel.

use std::time::Duration;

use chrono::TimeDelta;
use songda::demo::wait;
use songda::domain::kernel::clock::{Clock, fresh};
use songda::domain::kernel::ids::JobId;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::work::doubt::Fate;
use songda::sandbox::faults::FaultKind;
use songda::store::push_receipts::{self, InDoubt, Receipt};

use crate::support::arrivals::assert_arrived_once;
use crate::support::consents::{balance, report, tap};
use crate::support::database::Record;
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::office::decide;
use crate::support::people::Person;
use crate::support::settings::QUICK;
use crate::support::wait::{TIMEOUT, wait_until};

/// A resident who consented to some WeChat messages, and has a phone for SMS.
struct Recipient {
    desk: Desk,
    resident: Person,
}

impl Recipient {
    async fn with(consents: usize, settings: &[(&str, &str)]) -> Self {
        let mut desk = Desk::builder().settings(&QUICK).settings(settings).open().await;
        desk.leave_jobs();
        let resident = desk.resident().await;
        consent(&desk, &resident, consents).await;
        Self { desk, resident }
    }

    /// Makes a granted case of the resident. Returns its number.
    async fn granted(&self) -> String {
        let journey = self.desk.journey(ITEM).by(&self.resident).by_courier();
        journey.submitted().accepted().granted().await.number.clone()
    }

    /// Returns how many copies of the message about a case WeChat showed, and how many came by SMS.
    fn copies(&self, number: &str) -> (u32, u32) {
        let phones = &self.desk.sandbox.world().phones;
        let copies = |address: &str| {
            let messages = phones.of(address).into_iter();
            let about = messages.filter(|message| message.fields.values().any(|field| field == number));
            about.map(|message| message.copies).sum()
        };
        (copies(self.resident.openid()), copies(self.resident.phone()))
    }

    /// Waits until no push is pending, and returns the outcomes of all attempts over WeChat.
    async fn outcomes(&self) -> Vec<String> {
        let over = "select count(*) = 0 from jobs where kind = 'push' and state = 'pending'";
        let over = async || Ok(self.desk.scalar::<bool>(over).await.then_some(()));
        let ended = wait::until("all pushes ended", TIMEOUT, over).await;
        assert!(ended.is_ok(), "{ended:?}: {:#?}", self.desk.unfinished().await);
        let outcomes = "select a.outcome from attempts a join jobs j on j.id = a.job_id
                        where j.lane = 'push.wechat' and j.kind = 'push' and a.outcome <> 'snoozed' order by j.id, a.fence";
        sqlx::query_scalar(outcomes).fetch_all(&self.desk.database).await.unwrap()
    }

    async fn close(self) {
        self.desk.close().await;
    }
}

/// Consents to a number of messages. Two taps within a second count as one if only WeChat reports them, so the client
/// reports each tap as well.
async fn consent(desk: &Desk, resident: &Person, times: usize) {
    for _ in 0..times {
        tap(desk, resident.openid(), "accept").await;
        report(resident, "accept").await;
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_confirmed_by_its_receipt_and_not_sent_again() {
    let recipient = Recipient::with(2, &[]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutAfterCommit).on("send").once();
    let first = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["ambiguous", "confirmed"]);
    let second = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["ambiguous", "confirmed", "delivered"]);
    assert_eq!([recipient.copies(&first), recipient.copies(&second)], [(1, 0), (1, 0)]);
    assert_eq!(balance(&recipient.resident).await, 0, "each message used one consent");
    recipient.close().await;
}

#[tokio::test]
async fn a_message_without_a_receipt_is_sent_again() {
    let recipient = Recipient::with(2, &[("SONGDA_RECEIPT_WITHIN", "500ms")]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutBefore).on("send").once();
    let number = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["ambiguous", "delivered"]);
    assert_eq!(recipient.copies(&number), (1, 0));
    recipient.close().await;
}

#[tokio::test]
async fn a_refused_second_copy_counts_as_delivered_if_a_receipt_confirms_the_first() {
    let recipient = Recipient::with(1, &[]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutAfterCommit).on("send").once();
    let number = recipient.granted().await;
    let outcomes = recipient.outcomes().await;
    // The receipt can come before the second copy is sent. Then there is no attempt between these two.
    assert!(matches!(&outcomes[..], [first, .., last] if first == "ambiguous" && last == "confirmed"), "{outcomes:?}");
    assert_eq!(recipient.copies(&number), (1, 0));
    recipient.close().await;
}

#[tokio::test]
async fn a_refused_second_copy_without_a_receipt_goes_out_by_sms() {
    let recipient = Recipient::with(1, &[("SONGDA_CONFIRM_WITHIN", "1s")]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutBefore).on("send").once();
    recipient.desk.fault("wechat", FaultKind::UserRefused).on("send").once();
    let number = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["ambiguous", "unconfirmed", "refused"]);
    assert_eq!(recipient.copies(&number), (0, 1), "WeChat never had it");
    recipient.close().await;
}

#[tokio::test]
async fn a_message_that_no_receipt_confirms_may_arrive_twice_but_is_not_lost() {
    let recipient = Recipient::with(1, &[("SONGDA_CONFIRM_WITHIN", "1s")]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutAfterCommit).on("send").once();
    recipient.desk.fault("wechat", FaultKind::DropCallback).on("callback").always();
    let number = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["ambiguous", "unconfirmed", "refused"]);
    assert_eq!(recipient.copies(&number), (1, 1));
    recipient.close().await;
}

#[tokio::test]
async fn a_message_goes_out_by_sms_if_wechat_never_answers() {
    const LONGER_THAN_THE_TIMEOUT: Duration = Duration::from_millis(2_500);
    let recipient = Recipient::with(1, &[("SONGDA_RECEIPT_WITHIN", "500ms")]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutBefore).on("send").after(LONGER_THAN_THE_TIMEOUT).always();
    let number = recipient.granted().await;
    wait_until("the SMS arrives", async || recipient.copies(&number) == (0, 1)).await;
    let outcomes = recipient.outcomes().await;
    let unanswered = outcomes.iter().filter(|outcome| *outcome == "ambiguous").count();
    assert_eq!(unanswered, 5, "four copies are sent, and then no more: {outcomes:?}");
    let held = recipient.desk.count("select count(*) from consent_holds").await;
    assert_eq!(held, 0, "the consent is not held for ever");
    recipient.close().await;
}

/// A gateway can accept a message long after its sender gave up waiting and sent a copy. Here two pushes to one
/// recipient each had one attempt with an unknown outcome. One push is done, and the other is in doubt. The first
/// receipt possibly belongs to a late copy of the push that is done, so only the second receipt confirms the push in
/// doubt.
#[tokio::test]
async fn the_receipt_of_a_late_copy_does_not_confirm_another_message() {
    let record = Record::create().await;
    let mut connection = record.store.connection().await.unwrap();
    let done = fresh(JobId::from_uuid);
    let doubted = fresh(JobId::from_uuid);
    let jobs = "insert into jobs (id, lane, kind, key, payload, state, due_at, unclear, created_at, finished_at)
                values ($1, 'push.wechat', 'push', 'one', '{}', 'done', now(), 1, now(), now() - interval '30 seconds'),
                       ($2, 'push.wechat', 'push', 'other', '{}', 'pending', now(), 1, now(), null)";
    sqlx::query(jobs).bind(done.uuid()).bind(doubted.uuid()).execute(&mut *connection).await.unwrap();
    let channel = &ChannelCode::new("wechat");
    let recipient = "somebody";
    let template = "news";
    let now = Clock::system().now();
    let pushes = ["one".to_owned(), "other".to_owned()];
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
async fn an_access_token_that_cannot_be_fetched_leaves_no_doubt() {
    let recipient = Recipient::with(2, &[]).await;
    recipient.desk.fault("wechat", FaultKind::TimeoutBefore).on("stable_token").times(2);
    let number = recipient.granted().await;
    assert_eq!(recipient.outcomes().await, ["unavailable", "unavailable", "delivered"], "no message was sent");
    assert_eq!(recipient.copies(&number), (1, 0));
    recipient.close().await;
}

#[tokio::test]
async fn a_message_that_wechat_accepted_and_did_not_deliver_goes_out_by_sms() {
    let recipient = Recipient::with(2, &[]).await;
    recipient.desk.fault("wechat", FaultKind::Undelivered).on("delivery").once();
    let number = recipient.granted().await;
    wait_until("the SMS arrives", async || recipient.copies(&number) == (0, 1)).await;
    let recorded = "select coalesce(delivered_by = 'sms_aliyun', false) from notifications where event = 'granted'";
    wait_until("the inbox shows it", async || recipient.desk.scalar(recorded).await).await;
    assert_eq!(balance(&recipient.resident).await, 0, "the receipt says that the resident refuses");
    recipient.close().await;
}

/// The gateway looks an SMS up only by the day on which it was sent. The test moves the first attempt, which the
/// gateway refused (so nothing was sent), to the day before. The answer to the second attempt is lost. Its SMS must be
/// found under its own day, and not be sent again.
#[tokio::test]
async fn an_sms_of_unknown_outcome_is_looked_up_on_the_day_of_its_copy() {
    let mut desk = Desk::builder().settings(&QUICK).settings(&[("SONGDA_RETRY_FIRST", "3s")]).open().await;
    desk.leave_jobs();
    for fault in [FaultKind::Throttle, FaultKind::TimeoutAfterCommit] {
        desk.fault("sms_aliyun", fault).on("SendSms").once();
    }
    let decided = decide(&desk, 1).await;
    let a_day_before = "update attempts set started_at = started_at - interval '1 day' where outcome = 'throttled'";
    let moved = async || sqlx::query(a_day_before).execute(&desk.database).await.unwrap().rows_affected() == 1;
    wait_until("the first try ended", moved).await;
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}
