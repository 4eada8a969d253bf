//! Sending sign-in codes: a code that has possibly arrived is not sent again, and no code waits for other messages.

use std::time::Duration;

use serde_json::json;
use songda::demo::fresh_phone;
use songda::kill_point::Boundary;
use songda::sandbox::faults::FaultKind;

use crate::support::arrivals::assert_arrived_once;
use crate::support::desk::Desk;
use crate::support::office::decide;
use crate::support::process::assert_killed;
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

/// Asks for a code for a new phone, and returns the phone.
async fn request_code(desk: &Desk) -> String {
    let phone = fresh_phone();
    desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
    phone
}

/// Asserts that the code's job ended with an unknown outcome, and that one copy was sent.
async fn assert_not_sent_again(desk: &Desk, phone: &str) {
    let outcome = "select outcome from attempts a join jobs j on j.id = a.job_id
                   where j.kind = 'send_login_code' and j.state = 'done' order by a.fence desc limit 1";
    let mut last: Option<String> = None;
    let ended = async || {
        last = sqlx::query_scalar(outcome).fetch_optional(&desk.database).await.unwrap();
        last.is_some()
    };
    wait_until("the job ends", ended).await;
    assert_eq!(last.as_deref(), Some("ambiguous"));
    let copies: Vec<u32> = desk.sandbox.world().phones.of(phone).iter().map(|message| message.copies).collect();
    assert_eq!(copies, [1]);
}

#[tokio::test]
async fn a_code_whose_answer_was_lost_is_not_sent_again() {
    let desk = Desk::builder().settings(&QUICK).open().await;
    desk.fault("sms_aliyun", FaultKind::TimeoutAfterCommit).on("SendSms").once();
    let phone = request_code(&desk).await;
    assert_not_sent_again(&desk, &phone).await;
    desk.close().await;
}

#[tokio::test]
async fn a_code_whose_worker_died_is_not_sent_again() {
    let desk = Desk::builder().settings(&QUICK).without_worker().open().await;
    let phone = request_code(&desk).await;
    assert_killed(&desk, desk.worker_dying_at(Boundary::Called), Boundary::Called).await;
    let _successor = desk.worker();
    assert_not_sent_again(&desk, &phone).await;
    desk.close().await;
}

/// Sign-in codes have their own lane at the gateway that also sends other messages.
#[tokio::test]
async fn a_sign_in_code_overtakes_the_pushes_that_wait() {
    let desk = Desk::builder().settings(&[("SONGDA_SMS_ALIYUN_SLOTS", "2")]).without_worker().open().await;
    desk.fault("sms_aliyun", FaultKind::Slow).on("SendSms").after(Duration::from_secs(1)).always();
    let decided = decide(&desk, 200).await;
    let _worker = desk.worker();
    let world = desk.sandbox.world();
    let sent = || decided.iter().filter(|one| !world.phones.of(&one.phone).is_empty()).count();
    wait_until("the first pushes are sent", async || sent() > 0).await;

    let phone = request_code(&desk).await;
    wait_until("the code arrives", async || !world.phones.of(&phone).is_empty()).await;
    assert!(sent() < decided.len(), "pushes that were promised before still wait");

    desk.end_faults();
    assert_arrived_once(&desk, &decided).await;
    desk.close().await;
}
