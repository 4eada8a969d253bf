//! (c) Two hundred decisions of a back-office system, handed in while the gateways time out, fall over, throttle and
//! talk nonsense, and while callbacks come twice and out of order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::back_office::BackOffice;
use super::form::Applicant;
use super::mishap::{Mishap, Played};
use super::officer::Officer;
use super::resident::Resident;
use super::sandbox::{Message, Parcel, each_message_once, news, told_once};
use super::wait::until;
use super::{Stage, check, fresh_key, fresh_phone};
use crate::domain::kernel::clock::{Clock, Stopwatch};
use crate::env::Env;

/// How long all may take, the waits after failures included.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often those who watch are told how far it is.
const NEWS_EVERY: Duration = Duration::from_secs(5);

/// What goes wrong, and in which share of the calls.
const FAULTS: [(&str, f64); 4] =
    [("timeout_after_commit", 0.05), ("http_500_html", 0.05), ("throttle", 0.05), ("garbage_200", 0.05)];
const CALLBACK_FAULTS: [(&str, f64); 2] = [("duplicate_callback", 0.25), ("reorder_callbacks", 0.25)];
const CARRIERS: [&str; 2] = ["ems", "sf"];
const SMS: &str = "sms_aliyun";

/// The back-office system that decided.
pub struct Settings {
    /// Its id as an API client.
    pub client: String,
    /// The file of its private key, PEM.
    pub client_key: PathBuf,
    /// The decisions, one JSON object a line.
    pub results: PathBuf,
}

impl Settings {
    /// Reads the settings.
    pub fn read(env: &mut Env) -> Option<Self> {
        let client = env.required("SONGDA_DEMO_CLIENT", "id of the player's back-office system");
        let client_key = env.required("SONGDA_DEMO_CLIENT_KEY_FILE", "file of its private key (PEM)");
        let results = env.or(
            "SONGDA_DEMO_RESULTS",
            "catalog/demo/results.jsonl",
            "file of its decisions, one JSON object a line",
        );
        Some(Self { client: client?, client_key: client_key?, results: results? })
    }
}

/// A decision that was handed in.
struct HandedIn {
    phone: String,
    item: String,
    case: String,
    number: String,
    /// What the phone must show of it.
    decision: &'static str,
    by_courier: bool,
    /// Whether the applicant is named by their phone alone, so that whoever has it may read all of it.
    by_phone: bool,
}

impl HandedIn {
    /// All that the phone must show. What comes in between may be overtaken: "out for delivery" is not told any more to whom
    /// holds the parcel.
    fn news(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.decision).chain(self.by_courier.then_some(news::DELIVERED))
    }

    /// What its phone does not show yet.
    fn untold(&self, messages: &[Message]) -> Vec<&'static str> {
        let shows = |news| messages.iter().any(|message| message.says(&self.number) && message.says(news));
        self.news().filter(|news| !shows(news)).collect()
    }
}

/// Plays the batch; how many decisions it had.
///
/// # Errors
/// When a decision is lost, told twice, or couriered twice.
pub async fn play(stage: &Stage, settings: &Settings) -> Played<usize> {
    stage
        .story
        .part("后台系统批量推送结果，网关故障频发", "a batch of results from another system, while gateways fail");
    let results = read(&settings.results)?;
    let office = BackOffice::authenticate(&stage.api, &settings.client, &settings.client_key).await?;
    make_trouble(stage).await?;
    let handed_in = hand_in(stage, &office, &results).await?;
    bring_all(stage, &handed_in).await?;
    let struck = stage.sandbox.end_faults().await?;
    for (fault, _) in FAULTS.iter().chain(&CALLBACK_FAULTS) {
        check(struck[fault].as_u64() > Some(0), || format!("{fault} never struck: {struck}"))?;
    }
    stage.story.step("故障已发生", &format!("faults that struck: {struck}"));
    judge(stage, &handed_in).await?;
    are_delivered(stage, &handed_in).await?;
    read_their_timelines(stage, &handed_in).await?;
    Ok(handed_in.len())
}

/// The file's decisions, each for somebody new, so that the play can be repeated.
fn read(path: &Path) -> Played<Vec<Value>> {
    let unprepared = |what: &dyn std::fmt::Display| Mishap::Unprepared(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unprepared(&error))?;
    let (play, now) = (fresh_key(), Clock::system().now());
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

async fn make_trouble(stage: &Stage) -> Played<()> {
    for gateway in CARRIERS.iter().chain([&SMS]) {
        for (fault, share) in FAULTS {
            stage.sandbox.order_fault(gateway, fault, share).await?;
        }
        for (fault, share) in CALLBACK_FAULTS {
            stage.sandbox.order_fault(gateway, fault, share).await?;
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

/// Waits until every phone rang and every parcel arrived, with the sandbox moving parcels along.
async fn bring_all(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let (mut told, mut waiting) = (Stopwatch::start(), Vec::new());
    let brought = until("every phone rings and every parcel arrives", PATIENCE, async || {
        let moved = stage.sandbox.advance_all().await?;
        let parcels = by_phone(stage.sandbox.parcels().await?);
        let phones = stage.sandbox.phones().await?;
        waiting = handed_in.iter().filter_map(|decision| missing(decision, &phones, &parcels)).collect();
        if told.elapsed() > NEWS_EVERY {
            told = Stopwatch::start();
            let arrived = handed_in.len() - waiting.len();
            stage.story.step("送达中", &format!("{arrived} of {} have all that they wait for", handed_in.len()));
        }
        Ok((waiting.is_empty() && moved == 0).then_some(()))
    });
    let brought = brought.await;
    for missing in &waiting {
        stage.story.step("未送达", missing);
    }
    brought?;
    stage.story.step("全部送达", "every phone rang, every parcel arrived");
    quiet(stage).await
}

/// What a decision waits for, if there is anything.
fn missing(
    decision: &HandedIn,
    phones: &BTreeMap<String, Vec<Message>>,
    parcels: &BTreeMap<String, Vec<Parcel>>,
) -> Option<String> {
    let untold = decision.untold(phones.get(&decision.phone).map_or(&[], Vec::as_slice));
    let unordered = decision.by_courier && !parcels.contains_key(&decision.phone);
    let order = if unordered { ", and no carrier holds an order" } else { "" };
    (unordered || !untold.is_empty()).then(|| format!("case {}: its phone lacks {untold:?}{order}", decision.number))
}

/// Waits until nothing more comes: a second copy would be late.
async fn quiet(stage: &Stage) -> Played<()> {
    const LONG_ENOUGH: Duration = Duration::from_secs(3);
    let (mut since, mut seen) = (Stopwatch::start(), 0);
    until("the phones fall silent", PATIENCE, async || {
        let copies = stage.sandbox.phones().await?.values().flatten().map(|message| message.copies).sum::<u32>();
        if copies != seen {
            (since, seen) = (Stopwatch::start(), copies);
        }
        Ok((since.elapsed() > LONG_ENOUGH).then_some(()))
    })
    .await
}

async fn judge(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let parcels = by_phone(stage.sandbox.parcels().await?);
    let phones = stage.sandbox.phones().await?;
    for decision in handed_in {
        let messages = phones.get(&decision.phone).map_or(&[][..], Vec::as_slice);
        each_message_once(messages, &decision.number)?;
        decision.news().try_for_each(|news| told_once(messages, &decision.number, news))?;
        let strangers = messages.iter().find(|message| !message.says(&decision.number));
        check(strangers.is_none(), || format!("case {}: its phone shows another case's news", decision.number))?;
        let orders = parcels.get(&decision.phone).map_or(0, Vec::len);
        check(orders == usize::from(decision.by_courier), || {
            format!("case {}: the carriers hold {orders} orders", decision.number)
        })?;
    }
    Ok(())
}

/// Asks Songda itself, as an officer of the agency, whether every parcel is delivered.
async fn are_delivered(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    let mut officers: BTreeMap<&str, Officer> = BTreeMap::new();
    for decision in handed_in.iter().filter(|decision| decision.by_courier) {
        let officer = match officers.entry(&decision.item) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(stage.officer_for(&decision.item).await?),
        };
        let state = officer.parcel_state(&decision.case).await?;
        check(state.as_deref() == Some("delivered"), || {
            format!("case {}: Songda calls its parcel {state:?}", decision.number)
        })?;
    }
    stage.story.step("系统记录一致", "Songda calls every parcel delivered");
    Ok(())
}

/// Those who are named by their phone alone sign in with it, and read the timeline of their case.
async fn read_their_timelines(stage: &Stage, handed_in: &[HandedIn]) -> Played<()> {
    for decision in handed_in.iter().filter(|decision| decision.by_phone) {
        // The player lives as long as its people do.
        let phone: &'static str = Box::leak(decision.phone.clone().into_boxed_str());
        let applicant = Applicant { name: "", resident_id: "", phone, home: "" };
        let resident = Resident::by_sms(&stage.api, &stage.sandbox, applicant).await?;
        stage.story.timeline(&decision.number, &resident.timeline(&decision.case).await?);
    }
    Ok(())
}

fn by_phone(parcels: Vec<Parcel>) -> BTreeMap<String, Vec<Parcel>> {
    let mut by_phone: BTreeMap<String, Vec<Parcel>> = BTreeMap::new();
    for parcel in parcels.into_iter().filter(|parcel| parcel.state == "live") {
        by_phone.entry(parcel.recipient.phone.clone()).or_default().push(parcel);
    }
    by_phone
}
