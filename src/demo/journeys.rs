//! The part of the demonstration with two journeys: a resident applies on the phone, an officer decides, and a parcel
//! brings the result to the door.

use serde_json::{Value, json};

use super::form::Applicant;
use super::fresh::{fresh_key, fresh_phone};
use super::mishap::{Mishap, Played, check};
use super::resident::{Resident, Submitted};
use super::sandbox::{HeldParcel, ShownMessage, each_message_once};
use super::stage::Stage;
use super::wait::{STEP_TIME_OUT, until};

struct Journey {
    item: &'static str,
    carrier: &'static str,
    /// The channel over which the message about the decision must arrive.
    channel: &'static str,
    /// The document that the officer grants.
    result: Value,
}

/// The addresses at which a resident's phone gets messages.
struct Reached {
    openid: String,
    phone: String,
}

/// Plays the journey of a resident's certificate, with messages over WeChat and a parcel by EMS.
pub async fn certificate(stage: &Stage) -> Played<()> {
    stage.story.part("居住证申领：微信通知，邮政速递到家", "a residence permit: told over WeChat, brought by EMS");
    let result = json!({"title": "江苏省居住证", "number": format!("JZ{}", fresh_key())});
    let journey = Journey { item: "JT-0045", carrier: "ems", channel: "wechat", result };
    let (resident, reached) = sign_in(stage, "王小明", "320422198506150024").await?;
    let asked = resident.answer_dialog(&stage.sandbox, &reached.openid, "accept").await?;
    stage.story.step("同意订阅消息", &format!("agreed to {asked} kinds of WeChat messages"));
    play(stage, &journey, &resident, &reached).await
}

/// Plays the journey of a company's licence, with messages by SMS because the applicant refused WeChat, and a parcel by
/// SF Express.
pub async fn licence(stage: &Stage) -> Played<()> {
    let story = "a company: refused WeChat, told by SMS, brought by SF";
    stage.story.part("公司设立登记：拒收微信，改发短信，顺丰到家", story);
    let result = json!({"title": "营业执照", "number": "91320413MA1ABCDE0N"});
    let journey = Journey { item: "JT-0067", carrier: "sf", channel: "sms_aliyun", result };
    let (resident, reached) = sign_in(stage, "李晓红", "320482200002290011").await?;
    resident.answer_dialog(&stage.sandbox, &reached.openid, "reject").await?;
    stage.story.step("拒绝订阅消息", "refused all WeChat messages");
    play(stage, &journey, &resident, &reached).await
}

async fn sign_in(stage: &Stage, name: &'static str, resident_id: &'static str) -> Played<(Resident, Reached)> {
    let someone = fresh_key();
    let reached = Reached { openid: format!("openid-{someone}"), phone: fresh_phone() };
    // Leaked on purpose: `Applicant` needs a text that lives until the process ends.
    let phone: &'static str = Box::leak(reached.phone.clone().into_boxed_str());
    let applicant = Applicant { name, resident_id, phone, home: "西城街道清风路1号2幢301室" };
    let resident = Resident::by_wechat(&stage.api, &format!("wx-{someone}"), applicant).await?;
    stage.story.step("微信登录", "signed in with a WeChat code");
    resident.prove_identity().await?;
    resident.add_phone(&stage.sandbox).await?;
    stage.story.step("实名认证，绑定手机", "proved name and resident ID, and a phone by a code read from it");
    Ok((resident, reached))
}

async fn play(stage: &Stage, journey: &Journey, resident: &Resident, reached: &Reached) -> Played<()> {
    let submitted = apply(stage, journey, resident).await?;
    handle(stage, journey, &submitted).await?;
    let parcel = deliver(stage, journey, resident, &submitted, reached).await?;
    told_once(stage, journey, resident, &submitted, reached).await?;
    stage.story.step("已签收", &format!("delivered: {} {}", parcel.carrier, parcel.waybill));
    stage.story.timeline(&submitted.number, &resident.timeline(&submitted.id).await?);
    Ok(())
}

async fn apply(stage: &Stage, journey: &Journey, resident: &Resident) -> Played<Submitted> {
    let address = resident.add_address().await?;
    let draft = resident.draft(journey.item, &json!({"way": "courier", "address": address})).await?;
    stage.story.step("填表、上传材料、存草稿", "filled in the form, uploaded the materials, saved the draft");
    let submitted = resident.submit(&draft).await?;
    stage.story.step("提交申请", &format!("submitted as case {}", submitted.number));
    Ok(submitted)
}

async fn handle(stage: &Stage, journey: &Journey, submitted: &Submitted) -> Played<()> {
    let officer = stage.officer_for(journey.item).await?;
    let sees = officer.sees(&submitted.id).await?;
    check(sees, || format!("the officers who decide {} do not see case {}", journey.item, submitted.number))?;
    officer.accept(&submitted.id).await?;
    stage.story.step("受理", "accepted by an officer");
    officer.grant(&submitted.id, &journey.result).await?;
    stage.story.step("准予", "granted");
    Ok(())
}

/// Waits for the message on the phone and the parcel at its carrier. Then waits until the parcel is delivered.
async fn deliver(
    stage: &Stage,
    journey: &Journey,
    resident: &Resident,
    submitted: &Submitted,
    reached: &Reached,
) -> Played<HeldParcel> {
    let told = until("the decision on the phone", STEP_TIME_OUT, async || {
        let messages = on_phone(stage, reached).await?;
        Ok(messages.into_iter().find(|message| message.says(&submitted.number)))
    })
    .await?;
    check(told.channel == journey.channel, || format!("told over {}, not {}", told.channel, journey.channel))?;
    stage.story.step("手机收到通知", &format!("the phone shows it, over {}", told.channel));
    let parcel = until("a parcel with a waybill", STEP_TIME_OUT, || resident.parcel(&submitted.id)).await?;
    let held = only_parcel(stage, reached).await?;
    check(held.carrier == journey.carrier, || format!("ordered at {}, not {}", held.carrier, journey.carrier))?;
    check(parcel["waybill"] == held.waybill.as_str(), || "the waybill is not the carrier's".to_owned())?;
    stage.story.step("快递下单", &format!("ordered at {}, waybill {}", held.carrier, held.waybill));
    until("the parcel's delivery", STEP_TIME_OUT, async || {
        let Some(parcel) = resident.parcel(&submitted.id).await? else { return Ok(None) };
        let seen = parcel["scans"].as_array().map_or(0, Vec::len);
        // A real parcel stays at each station for longer than its news take.
        if stage.moves_parcels && seen >= only_parcel(stage, reached).await?.scans.len() {
            stage.sandbox.advance(&held.order_no).await?;
        }
        Ok((parcel["state"] == "delivered").then_some(()))
    })
    .await?;
    only_parcel(stage, reached).await
}

async fn told_once(
    stage: &Stage,
    journey: &Journey,
    resident: &Resident,
    submitted: &Submitted,
    reached: &Reached,
) -> Played<()> {
    const NEWS: [&str; 3] = ["granted", "parcel_out_for_delivery", "parcel_delivered"];
    let messages = until("all news on the phone", STEP_TIME_OUT, async || {
        let messages = on_phone(stage, reached).await?;
        let news = messages.iter().filter(|message| message.says(&submitted.number)).count();
        Ok((news >= NEWS.len()).then_some(messages))
    })
    .await?;
    each_message_once(&messages, &submitted.number)?;
    let inbox = resident.inbox(&submitted.id).await?;
    let missing = NEWS.iter().find(|event| !inbox.iter().any(|known| known == *event));
    check(missing.is_none(), || format!("not in the inbox: {missing:?}, only {inbox:?}"))?;
    if journey.channel == "sms_aliyun" {
        let wechat = stage.sandbox.phone(&reached.openid).await?;
        check(wechat.is_empty(), || "WeChat was used though it was refused".to_owned())?;
    }
    Ok(())
}

/// Returns all messages on the phone, over every channel.
async fn on_phone(stage: &Stage, reached: &Reached) -> Played<Vec<ShownMessage>> {
    let mut messages = stage.sandbox.phone(&reached.openid).await?;
    messages.extend(stage.sandbox.phone(&reached.phone).await?);
    Ok(messages)
}

/// Returns the resident's parcel. Fails unless the carriers have exactly one live order for it. Cancelled orders can
/// exist as well: if a carrier has no look-up, an order of unknown outcome is cancelled and placed again.
async fn only_parcel(stage: &Stage, reached: &Reached) -> Played<HeldParcel> {
    let mut parcels = stage.sandbox.parcels_to(&reached.phone).await?;
    parcels.retain(|parcel| parcel.state == "live");
    match parcels.as_slice() {
        [parcel] => Ok(parcel.clone()),
        several => Err(Mishap::Wrong(format!("the carriers hold {} live orders for one parcel", several.len()))),
    }
}
