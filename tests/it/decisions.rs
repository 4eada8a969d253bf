//! Decisions of a back-office system: the shortest way to a promise. Each owes one message and one parcel.

use std::time::Duration;

use serde_json::{Value, json};
use songda::demo::back_office::BackOffice;
use songda::demo::{fresh_key, fresh_phone};

use crate::harness::{Desk, wait_until};

/// One decision, and where it must arrive.
pub struct Decided {
    /// The case's number.
    pub number: String,
    /// The applicant's phone.
    pub phone: String,
}

/// A back-office system that may decide for the agencies that tests meet.
pub async fn back_office(desk: &Desk) -> BackOffice {
    let key = std::env::temp_dir().join(format!("songda-client-{}.pem", fresh_key()));
    let source = format!("it-{}", fresh_key()[..8].to_lowercase());
    let key_file = key.display().to_string();
    let agencies = "public-security,administrative-approval,human-resources";
    let add = ["clients", "add", "--source", &source, "--name", "测试系统", "--agencies", agencies];
    let client = desk.songda(&[&add[..], &["--key-file", &key_file]].concat()).await;
    BackOffice::authenticate(&desk.api, client.trim(), &key).await.unwrap()
}

/// Decides so many times, each for somebody new.
pub async fn decide(desk: &Desk, count: usize) -> Vec<Decided> {
    let phones: Vec<String> = (0..count).map(|_| fresh_phone()).collect();
    let results: Vec<Value> = phones.iter().map(|phone| result(phone)).collect();
    let verdicts = back_office(desk).await.hand_in(&results).await.unwrap();
    let number = |verdict: &Value| {
        let number = verdict["case"]["number"].as_str().or_else(|| verdict["number"].as_str());
        number.unwrap_or_else(|| panic!("not taken: {verdict}")).to_owned()
    };
    verdicts.iter().zip(phones).map(|(verdict, phone)| Decided { number: number(verdict), phone }).collect()
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

impl Decided {
    /// Waits until the phone rang and the carrier has the order.
    pub async fn arrived(&self, desk: &Desk, deadline: Duration) {
        let outside = desk.outside();
        wait_until(deadline, &format!("{} arrives", self.number), async || {
            let rang = !outside.phone(&self.phone).await.unwrap().is_empty();
            rang && outside.parcels_to(&self.phone).await.unwrap().iter().any(|parcel| parcel.state == "live")
        })
        .await;
    }

    /// Checks that the phone rang once, and that the carrier holds one order.
    pub async fn came_once(&self, desk: &Desk) {
        let messages = desk.outside().phone(&self.phone).await.unwrap();
        let copies: u32 = messages.iter().map(|message| message.copies).sum();
        assert_eq!(copies, 1, "one message for {}: {messages:?}", self.number);
        let parcels = desk.outside().parcels_to(&self.phone).await.unwrap();
        let live = parcels.iter().filter(|parcel| parcel.state == "live").count();
        assert_eq!(live, 1, "one live order for {}: {parcels:?}", self.number);
    }
}
