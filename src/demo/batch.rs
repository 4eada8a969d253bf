//! The part of the demonstration in which a back-office system submits two hundred decisions. Meanwhile the simulated
//! gateways time out, fail, throttle and send garbage, and some of their callbacks come twice or out of order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::back_office::BackOffice;
use super::form::Applicant;
use super::fresh::{fresh_key, fresh_phone};
use super::mishap::{Mishap, Played, check};
use super::officer::DeskOfficer;
use super::resident::Resident;
use super::sandbox::{HeldParcel, ShownMessage, each_message_once, news, told_once};
use super::stage::Stage;
use super::wait::until;
use crate::domain::kernel::clock::{Clock, Stopwatch};
use crate::env::Env;

/// The longest wait for all messages and parcels to arrive, and also the longest wait, after that, for the phones to
/// fall silent. It leaves time for the retries after failures.
const BATCH_TIME_OUT: Duration = Duration::from_secs(300);
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The faults that the sandbox injects into gateway calls, each with the share (0 to 1) of calls that it affects.
const FAULTS: [(&str, f64); 4] =
    [("timeout_after_commit", 0.05), ("http_500_html", 0.05), ("throttle", 0.05), ("garbage_200", 0.05)];
const CALLBACK_FAULTS: [(&str, f64); 2] = [("duplicate_callback", 0.25), ("reorder_callbacks", 0.25)];
const CARRIERS: [&str; 2] = ["ems", "sf"];
const SMS: &str = "sms_aliyun";

pub struct BatchSettings {
    /// The client id under which the back-office system is registered with the API.
    pub client: String,
    pub client_key: PathBuf,
    pub results: PathBuf,
}

impl BatchSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let client = env.required("SONGDA_DEMO_CLIENT", "id of the player's back-office system");
        let client_key = env.required("SONGDA_DEMO_CLIENT_KEY_FILE", "file of its private key (PEM)");
        let meaning = "file of its decisions, one JSON object a line";
        let results = env.or("SONGDA_DEMO_RESULTS", "catalog/demo/results.jsonl", meaning);
        Some(Self { client: client?, client_key: client_key?, results: results? })
    }
}

/// A decision that the back-office system submitted and Songda accepted.
struct HandedIn {
    phone: String,
    item: String,
    case: String,
    number: String,
    /// The text that a message on the phone must contain to announce the decision; one of the texts in [`news`].
    decision: &'static str,
    by_courier: bool,
    /// True if the back-office system reported a phone number but no resident ID. The owner of the phone is then
    /// allowed to read the case.
    by_phone: bool,
}

impl HandedIn {
    /// Returns the texts that messages on the phone must contain. Messages about earlier states of a parcel are
    /// optional: Songda reports the state after all scans that it knows, so it can skip a state.
    fn news(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.decision).chain(self.by_courier.then_some(news::DELIVERED))
    }

    fn missing_news(&self, messages: &[ShownMessage]) -> Vec<&'static str> {
        let shows = |news| messages.iter().any(|message| message.says(&self.number) && message.says(news));
        self.news().filter(|news| !shows(news)).collect()
    }
}

/// Runs the batch, and returns the number of decisions. Fails if a decision is lost, or if a message or a parcel is
/// sent twice.
pub async fn play(stage: &Stage, settings: &BatchSettings) -> Played<usize> {
    stage
        .story
        .part("后台系统批量推送结果，网关故障频发", "a batch of results from another system, while gateways fail");
    let results = read(&settings.results)?;
    let office = BackOffice::authenticate(&stage.api, &settings.client, &settings.client_key).await?;
    order_faults(stage).await?;
    let handed_in = hand_in(stage, &office, &results).await?;
    deliver_all(stage, &handed_in).await?;
    let struck = stage.sandbox.end_faults().await?;
    for (fault, _) in FAULTS.iter().chain(&CALLBACK_FAULTS) {
        check(struck[fault].as_u64() > Some(0), || format!("{fault} never struck: {struck}"))?;
    }
    stage.story.step("故障已发生", &format!("faults that struck: {struck}"));
    check_phones_and_parcels(stage, &handed_in).await?;
    are_delivered(stage, &handed_in).await?;
    read_their_timelines(stage, &handed_in).await?;
    Ok(handed_in.len())
}

/// Reads the decisions from the file. Gives each a new reference, a new phone number, and the present time as the time
/// of the decision, so that the demonstration can be repeated.
fn read(path: &Path) -> Played<Vec<Value>> {
    let unprepared = |what: &dyn std::fmt::Display| Mishap::Unprepared(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unprepared(&error))?;
    let play = fresh_key();
    let now = Clock::system().now();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let mut result: Value = serde_json::from_str(line).map_err(|error| unprepared(&error))?;
            let phone = fresh_phone();
            result["ref"] = json!(format!("{}-{play}", result["ref"].as_str().unwrap_or_default()));
            result["decided_at"] = json!(now);
            result["applicant"]["phone"] = json!(phone);
            if let Some(recipient) = result["delivery"].get_mut("recipient") {
                recipient["phone"] = json!(phone);
            }
            Ok(result)
        })
        .collect()
}

async fn order_faults(stage: &Stage) -> Played<()> {
    for gateway in CARRIERS.iter().chain([&SMS]) {
        for (fault, share) in FAULTS.iter().chain(&CALLBACK_FAULTS) {
            stage.sandbox.order_fault(gateway, fault, *share).await?;
        }
    }
    stage.story.step("注入故障", "one gateway call in five goes wrong, half of the callbacks too");
    Ok(())
}

async fn hand_in(stage: &Stage, office: &BackOffice, results: &[Value]) -> Played<Vec<HandedIn>> {
    let verdicts = office.hand_in(results).await?;
    let by_ref: BTreeMap<&str, &Value> =
        verdicts.iter().filter_map(|verdict| Some((verdict["ref"].as_str()?, verdict))).collect();
    let handed_in = results.iter().map(|result| {
        let reference = result["ref"].as_str().unwrap_or_default();
        let verdict = by_ref.get(reference).copied().unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        check(verdict["number"].is_string(), || format!("{reference} was not taken: {verdict}"))?;
        Ok(HandedIn {
            phone: text(&result["applicant"]["phone"]),
            item: text(&result["item_code"]),
            case: text(&verdict["case"]),
            number: text(&verdict["number"]),
            decision: if result["outcome"] == "grant" { news::GRANTED } else { news::DENIED },
            by_courier: result["delivery"]["way"] == "courier",
            by_phone: result["applicant"]["resident_id"].is_null(),
        })
    });
    let handed_in = handed_in.collect::<Played<Vec<_>>>()?;
    stage.story.step("结果已接收", &format!("{} decisions taken in one call", handed_in.len()));
    Ok(handed_in)
}

/// Moves the parcels in the sandbox until every message and every parcel has arrived.
async fn deliver_all(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let mut reported = Stopwatch::start();
    let mut waiting = Vec::new();
    let delivered = until("every phone rings and every parcel arrives", BATCH_TIME_OUT, async || {
        let moved = stage.sandbox.advance_all().await?;
        let parcels = by_phone(stage.sandbox.parcels().await?);
        let phones = stage.sandbox.phones().await?;
        waiting = handed_in.iter().filter_map(|decision| missing(decision, &phones, &parcels)).collect();
        if reported.elapsed() > REPORT_EVERY {
            reported = Stopwatch::start();
            let arrived = handed_in.len() - waiting.len();
            stage.story.step("送达中", &format!("{arrived} of {} decisions have fully arrived", handed_in.len()));
        }
        Ok((waiting.is_empty() && moved == 0).then_some(()))
    });
    let delivered = delivered.await;
    for missing in &waiting {
        stage.story.step("未送达", missing);
    }
    delivered?;
    stage.story.step("全部送达", "every phone rang, every parcel arrived");
    quiet(stage).await
}

/// Describes the messages and the parcel of a decision that have not arrived; `None` if everything has arrived.
fn missing(
    decision: &HandedIn,
    phones: &BTreeMap<String, Vec<ShownMessage>>,
    parcels: &BTreeMap<String, Vec<HeldParcel>>,
) -> Option<String> {
    let missing = decision.missing_news(phones.get(&decision.phone).map_or(&[], Vec::as_slice));
    let unordered = decision.by_courier && !parcels.contains_key(&decision.phone);
    let order = if unordered { ", and no carrier holds an order" } else { "" };
    (unordered || !missing.is_empty()).then(|| format!("case {}: its phone lacks {missing:?}{order}", decision.number))
}

/// Waits until no new message has arrived for three seconds, because a wrong second copy may come late.
async fn quiet(stage: &Stage) -> Played<()> {
    const LONG_ENOUGH: Duration = Duration::from_secs(3);
    let mut since = Stopwatch::start();
    let mut seen = 0;
    until("the phones fall silent", BATCH_TIME_OUT, async || {
        let copies = stage.sandbox.phones().await?.values().flatten().map(|message| message.copies).sum::<u32>();
        if copies != seen {
            since = Stopwatch::start();
            seen = copies;
        }
        Ok((since.elapsed() > LONG_ENOUGH).then_some(()))
    })
    .await
}

async fn check_phones_and_parcels(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let parcels = by_phone(stage.sandbox.parcels().await?);
    let phones = stage.sandbox.phones().await?;
    for decision in handed_in {
        let messages = phones.get(&decision.phone).map_or(&[][..], Vec::as_slice);
        each_message_once(messages, &decision.number)?;
        decision.news().try_for_each(|news| told_once(messages, &decision.number, news))?;
        let strangers = messages.iter().find(|message| !message.says(&decision.number));
        check(strangers.is_none(), || format!("case {}: its phone shows another case's news", decision.number))?;
        let orders = parcels.get(&decision.phone).map_or(0, Vec::len);
        let expected = usize::from(decision.by_courier);
        check(orders == expected, || format!("case {}: the carriers hold {orders} orders", decision.number))?;
    }
    Ok(())
}

/// Checks through the officers' API that Songda's own state of every parcel is "delivered".
async fn are_delivered(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let mut officers: BTreeMap<&str, DeskOfficer> = BTreeMap::new();
    for decision in handed_in.iter().filter(|decision| decision.by_courier) {
        let officer = match officers.entry(&decision.item) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(stage.officer_for(&decision.item).await?),
        };
        let state = officer.parcel_state(&decision.case).await?;
        let delivered = state.as_deref() == Some("delivered");
        check(delivered, || format!("case {}: Songda calls its parcel {state:?}", decision.number))?;
    }
    stage.story.step("系统记录一致", "Songda calls every parcel delivered");
    Ok(())
}

/// Signs in as each applicant for whom the back-office system reported only a phone number. Prints the timeline of the
/// applicant's case.
async fn read_their_timelines(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    for decision in handed_in.iter().filter(|decision| decision.by_phone) {
        // Leaked on purpose: `Applicant` needs a text that lives until the process ends.
        let phone: &'static str = Box::leak(decision.phone.clone().into_boxed_str());
        let applicant = Applicant { name: "", resident_id: "", phone, home: "" };
        let resident = Resident::by_sms(&stage.api, &stage.sandbox, applicant).await?;
        stage.story.timeline(&decision.number, &resident.timeline(&decision.case).await?);
    }
    Ok(())
}

fn by_phone(parcels: Vec<HeldParcel>) -> BTreeMap<String, Vec<HeldParcel>> {
    let mut by_phone: BTreeMap<String, Vec<HeldParcel>> = BTreeMap::new();
    for parcel in parcels.into_iter().filter(|parcel| parcel.state == "live") {
        by_phone.entry(parcel.recipient.phone.clone()).or_default().push(parcel);
    }
    by_phone
}
