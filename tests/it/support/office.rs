//! Decisions, and what each owes: one message and one parcel. Those of a back-office system are the shortest way to both.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use songda::demo::back_office::BackOffice;
use songda::demo::http::{Caller, Reply};
use songda::demo::mishap::Played;
use songda::demo::sandbox::{HeldParcel, ShownMessage, each_message_once, news, told_once};
use songda::demo::{fresh_key, fresh_phone, wait};

use crate::support::desk::{Desk, PATIENCE};

/// One decision, and where it must arrive.
#[derive(Clone)]
pub struct Decided {
    /// The case's number.
    pub number: String,
    /// The applicant's phone.
    pub phone: String,
    /// Where WeChat may show the message.
    pub openid: Option<String>,
}

impl Decided {
    /// For somebody who is known by their phone alone.
    pub fn by_phone(number: String, phone: String) -> Self {
        Self { number, phone, openid: None }
    }
}

/// A back-office system that is known, and may decide for the agencies that tests meet.
pub struct KnownOffice {
    /// Its name as a source of results.
    pub source: String,
    client: String,
    key: PathBuf,
}

impl KnownOffice {
    /// Makes one known.
    pub async fn new(desk: &Desk) -> Self {
        let source = format!("it-{}", fresh_key()[..8].to_lowercase());
        let key = desk.folder.path_of(&format!("{source}.pem"));
        let agencies = "public-security,administrative-approval,human-resources";
        let add = ["clients", "add", "--source", &source, "--name", "测试系统", "--agencies", agencies];
        let client = desk.songda(&[&add[..], &["--key-file", &key]].concat()).await.trim().to_owned();
        Self { source, client, key: key.into() }
    }

    /// A token of it.
    pub async fn token(&self, desk: &Desk) -> String {
        BackOffice::token(&desk.api, &self.client, &self.key).await.unwrap()
    }
}

/// A back-office system that may decide for the agencies that tests meet.
pub async fn back_office(desk: &Desk) -> BackOffice {
    let known = KnownOffice::new(desk).await;
    BackOffice::authenticate(&desk.api, &known.client, &known.key).await.unwrap()
}

/// Decides so many times, each for somebody new.
pub async fn decide(desk: &Desk, count: usize) -> Vec<Decided> {
    let phones: Vec<String> = (0..count).map(|_| fresh_phone()).collect();
    let results: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
    let verdicts = back_office(desk).await.hand_in(&results).await.unwrap();
    verdicts.iter().zip(phones).map(|(verdict, phone)| Decided::by_phone(number_of(verdict), phone)).collect()
}

/// The number of a case that a decision made.
pub fn number_of(verdict: &Value) -> String {
    let number = verdict["case"]["number"].as_str().or_else(|| verdict["number"].as_str());
    number.unwrap_or_else(|| panic!("not taken: {verdict}")).to_owned()
}

/// A grant that goes out by the post.
pub fn result(phone: &str) -> Value {
    json!({
        "ref": fresh_key(),
        "item_code": "JT-0045",
        "applicant": {"phone": phone, "name": "王小明"},
        "outcome": "grant",
        "reasons": "",
        "result": {"title": "居住证", "number": "IT-0001"},
        "decided_at": "2026-11-20T09:00:00+08:00",
        "delivery": {
            "way": "courier",
            "recipient": {"name": "王小明", "phone": phone, "region": "320413", "detail": "西城街道清风路1号"},
        },
    })
}

/// Waits until the phones rang and the carriers have the orders, and then until nothing is left to do; and checks that all
/// of it came once.
pub async fn came_once(desk: &Desk, decided: &[Decided]) {
    let outside = desk.outside();
    let mut missing = Vec::new();
    let arrived = wait::until("decisions at phones and doors", PATIENCE, async || {
        let (phones, parcels) = (outside.phones().await?, outside.parcels().await?);
        let came = |one: &Decided| one.messages(&phones).next().is_some() && one.orders(&parcels).next().is_some();
        missing = decided.iter().filter(|one| !came(one)).map(|one| one.number.clone()).collect();
        Ok(missing.is_empty().then_some(()))
    });
    let arrived = arrived.await;
    assert!(arrived.is_ok(), "{arrived:?}: {missing:?}: {:#?}", desk.undone().await);
    desk.finish().await;
    let (phones, parcels) = (outside.phones().await.unwrap(), outside.parcels().await.unwrap());
    for one in decided {
        let messages: Vec<ShownMessage> = one.messages(&phones).cloned().collect();
        assert_eq!(messages.len(), 1, "{}: {messages:?}", one.number);
        told_once(&messages, &one.number, news::GRANTED).unwrap_or_else(|mishap| panic!("{mishap}: {messages:?}"));
        let orders: Vec<&HeldParcel> = one.orders(&parcels).collect();
        assert_eq!(orders.len(), 1, "one live order for {}: {orders:?}", one.number);
    }
}

/// Waits until the phones show the parcels' end, and then until nothing is left to do; and checks that it came once, as the
/// decision did, and that nothing came twice.
pub async fn delivered_once(desk: &Desk, decided: &[Decided]) {
    let outside = desk.outside();
    let arrived = wait::until("parcels at doors", PATIENCE, async || {
        let phones = outside.phones().await?;
        let came = |one: &Decided| one.messages(&phones).any(|message| message.says(news::DELIVERED));
        Ok(decided.iter().all(came).then_some(()))
    });
    let arrived = arrived.await;
    assert!(arrived.is_ok(), "{arrived:?}: {:#?}", desk.undone().await);
    desk.finish().await;
    let phones = outside.phones().await.unwrap();
    for one in decided {
        let messages: Vec<ShownMessage> = one.messages(&phones).cloned().collect();
        let told = [news::GRANTED, news::DELIVERED].map(|news| told_once(&messages, &one.number, news));
        let told = told.into_iter().chain([each_message_once(&messages, &one.number)]);
        told.collect::<Played<()>>().unwrap_or_else(|mishap| panic!("{mishap}: {messages:?}"));
    }
}

impl Decided {
    /// On whichever way: a message that came over one channel must not come over another.
    fn messages<'a>(&self, phones: &'a BTreeMap<String, Vec<ShownMessage>>) -> impl Iterator<Item = &'a ShownMessage> {
        let addresses = [Some(&self.phone), self.openid.as_ref()].into_iter().flatten();
        addresses.filter_map(|address| phones.get(address)).flatten().filter(|message| message.says(&self.number))
    }

    fn orders<'a>(&self, parcels: &'a [HeldParcel]) -> impl Iterator<Item = &'a HeldParcel> {
        parcels.iter().filter(|parcel| parcel.recipient.phone == self.phone && parcel.state == "live")
    }
}

/// An application that an officer accepted and nobody decided.
pub struct Accepted {
    path: String,
    etag: String,
    case: Decided,
}

impl Accepted {
    /// The agency that decides it.
    pub const AGENCY: &str = "public-security";

    /// A resident applies, and an officer accepts.
    pub async fn on(desk: &Desk) -> Self {
        let (resident, openid) = desk.resident().await;
        let address = resident.add_address().await.unwrap();
        let draft = resident.draft("JT-0045", &json!({"way": "courier", "address": address})).await.unwrap();
        let submitted = resident.submit(&draft).await.unwrap();
        let officer = desk.officer(Self::AGENCY).await;
        officer.accept(&submitted.id).await.unwrap();
        let path = format!("/staff/v1/cases/{}", submitted.id);
        let etag = officer.caller().get(&path).success().await.unwrap().etag().to_owned();
        let (number, phone) = (submitted.number, resident.applicant.phone.to_owned());
        let case = Decided { number, phone, openid: Some(openid) };
        Self { path, etag, case }
    }

    /// The officer grants it.
    pub async fn grant(&self, officer: &Caller, key: &str) -> Played<Reply> {
        let decision = json!({"outcome": "grant", "reasons": "", "result": {"title": "居住证"}});
        let call = officer.post(&format!("{}/decision", self.path)).if_match(&self.etag).once(key);
        call.json(&decision).answer().await
    }

    /// The case, once it is decided.
    pub fn decided(self) -> Decided {
        self.case
    }
}
