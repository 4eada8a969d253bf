//! A gateway refuses a message, or a part of it, and the recipient is still notified.

use std::time::Duration;

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::journeys;
use songda::sandbox::faults::FaultKind;

use crate::support::consents::{report, tap};
use crate::support::desk::Desk;
use crate::support::office::{Office, result};
use crate::support::wait::wait_until;

/// Returns a list of WeChat templates for the sandbox. The Chinese template of decisions accepts only one value in its
/// field `phrase2`, which shows the status.
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

/// True if the phone has an SMS about a grant.
async fn has_sms(desk: &Desk, phone: &str) -> bool {
    desk.outside().phone(phone).await.unwrap().iter().any(|message| message.says("准予办理"))
}

#[tokio::test]
async fn a_message_is_sent_without_the_page_or_the_words_that_wechat_refuses() {
    let desk = Desk::open().await;
    let control = desk.control();
    control.put("/_sandbox/wechat/templates").json(&templates()).success().await.unwrap();
    control.put("/_sandbox/wechat/pages").json(&json!(["pages/case/index"])).success().await.unwrap();
    journeys::certificate(&desk.stage()).await.unwrap_or_else(|mishap| panic!("{mishap}"));
    let phones = desk.outside().phones().await.unwrap();
    let wechat: Vec<_> = phones.values().flatten().filter(|message| message.channel == "wechat").collect();
    let decided: Vec<_> = wechat.iter().filter(|message| message.says("已经办结")).collect();
    assert!(matches!(decided[..], [message] if message.fields.contains_key("page")), "{wechat:?}");
    let delivered: Vec<_> = wechat.iter().filter(|message| message.says("已经签收")).collect();
    assert!(matches!(delivered[..], [message] if !message.fields.contains_key("page")), "{wechat:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_message_refused_for_an_unknown_reason_is_tried_three_times_and_then_sent_by_sms() {
    let mut desk = Desk::builder().settings(&[("SONGDA_RETRY_FIRST", "10ms")]).open().await;
    desk.leave_jobs();
    let resident = desk.resident_named(&format!("{}-12345", fresh_key())).await;
    resident.answer_dialog(&desk.outside(), resident.openid(), "accept").await.unwrap();
    Office::register(&desk).await.hand_in(&[result(resident.phone())]).await;
    wait_until("the SMS arrives", async || has_sms(&desk, resident.phone()).await).await;
    let tried: (String, i32) = sqlx::query_as("select cause, attempts from jobs where state = 'dead'")
        .fetch_one(&desk.database)
        .await
        .unwrap();
    assert!(tried.0.starts_with("errcode 12345") && tried.1 == 3, "{tried:?}");
    desk.close().await;
}

/// WeChat does not know the openids of another mini-program. So if WeChat knows none of our openids, our credentials
/// are probably those of another mini-program, and the addresses are not gone.
#[tokio::test]
async fn if_all_addresses_seem_gone_at_most_one_is_forgotten() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let office = Office::register(&desk).await;
    desk.fault("wechat", FaultKind::UnknownNumber).on("send").always();
    for _ in 0..3 {
        let resident = desk.resident().await;
        tap(&desk, resident.openid(), "accept").await;
        office.hand_in(&[result(resident.phone())]).await;
        wait_until("the SMS arrives", async || has_sms(&desk, resident.phone()).await).await;
    }
    assert_eq!(desk.count("select count(*) from wechat_accounts where gone_at is not null").await, 1);
    let dead = "select count(*) from jobs where state = 'dead' and cause like '%check the credentials%'";
    assert_eq!(desk.count(dead).await, 2);
    desk.close().await;
}

#[tokio::test]
async fn of_two_wechat_accounts_only_the_one_that_is_gone_is_forgotten() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let newer = fresh_key();
    let attach = json!({"code": format!("wx-{newer}"), "if_taken": "refuse"});
    resident.caller().put("/v1/me/wechat").json(&attach).success().await.unwrap();
    tap(&desk, &format!("openid-{newer}"), "accept").await;
    desk.fault("wechat", FaultKind::UnknownNumber).on("send").once();
    Office::register(&desk).await.hand_in(&[result(resident.phone())]).await;
    wait_until("the SMS arrives", async || has_sms(&desk, resident.phone()).await).await;
    let gone = "select array_agg(gone_at is not null order by created_at) from wechat_accounts";
    let gone: Vec<bool> = desk.scalar(gone).await;
    assert_eq!(gone, [false, true], "the older account was not tried");
    desk.close().await;
}

/// WeChat refuses the second of two messages to one person that are sent at once (43108).
#[tokio::test]
async fn messages_to_one_person_are_sent_one_after_the_other() {
    let mut desk = Desk::open().await;
    desk.leave_jobs();
    let resident = desk.resident().await;
    for _ in 0..3 {
        tap(&desk, resident.openid(), "accept").await;
        report(&resident, "accept").await;
    }
    desk.fault("wechat", FaultKind::Slow).on("send").after(Duration::from_millis(300)).always();
    let results = [(); 3].map(|()| result(resident.phone()));
    Office::register(&desk).await.hand_in(&results).await;
    let world = desk.sandbox.world();
    let shown = || world.phones.of(resident.openid()).iter().map(|message| message.copies).sum::<u32>();
    wait_until("all three messages are shown", async || shown() == 3).await;
    assert_eq!(world.counters.get("wechat", "send 43108"), 0);
    let waited = "select count(*) from attempts where detail like 'another message to this recipient%'";
    assert!(desk.count(waited).await > 0, "they were due at the same time");
    desk.close().await;
}
