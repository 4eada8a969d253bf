//! `QuerySendDetails`: has this message been taken? The service lists what it sent to a number on a day; our key
//! stands in `OutId`.

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::clock::{Instant, beijing_day};
use crate::domain::private::Private;
use crate::gateway::aliyun::Rpc;
use crate::gateway::http::{Answer, HttpFault};
use crate::gateway::push::Found;

/// The largest page that the service gives.
const PAGE: usize = 50;
/// No honest day of one number is longer.
const MOST_PAGES: usize = 20;

/// Looks for a message by our key. `sent_at` is when it was handed over.
pub async fn find(rpc: &Rpc, phone: &Private<String>, key: &str, sent_at: Instant) -> Found {
    // Handed over in the last minute of a day, it may be listed under the next.
    let days = [beijing_day(sent_at), beijing_day(sent_at + TimeDelta::minutes(1))];
    let days = if days[0] == days[1] { &days[..1] } else { &days };
    for day in days {
        match find_on(rpc, phone, key, *day).await {
            Found::No => {}
            other => return other,
        }
    }
    Found::No
}

/// Asks what was sent today to a number that is none, for the sake of an answer.
pub async fn nothing(rpc: &Rpc, now: Instant) -> Result<Answer, HttpFault> {
    ask(rpc, "0", beijing_day(now), 1).await
}

async fn find_on(rpc: &Rpc, phone: &Private<String>, key: &str, day: NaiveDate) -> Found {
    for page in 1..=MOST_PAGES {
        let Some(details) = fetch(rpc, phone, day, page).await else { return Found::Unknown };
        if details.keys.iter().any(|known| known == key) {
            return Found::Yes;
        }
        if details.keys.is_empty() || page * PAGE >= details.total {
            return Found::No;
        }
    }
    Found::Unknown
}

/// One page of a day.
#[derive(Debug, PartialEq, Eq)]
struct Details {
    /// How many messages the day has.
    total: usize,
    /// The `OutId` of each message of the page; empty where there is none.
    keys: Vec<String>,
}

async fn fetch(rpc: &Rpc, phone: &Private<String>, day: NaiveDate, page: usize) -> Option<Details> {
    let answer = ask(rpc, phone.expose(), day, page).await.ok()?;
    read(&answer.body)
}

async fn ask(rpc: &Rpc, phone: &str, day: NaiveDate, page: usize) -> Result<Answer, HttpFault> {
    let (day, size, page) = (day.format("%Y%m%d").to_string(), PAGE.to_string(), page.to_string());
    let parameters = [("PhoneNumber", phone), ("SendDate", &day), ("PageSize", &size), ("CurrentPage", &page)];
    rpc.call("QuerySendDetails", &parameters).await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    code: String,
    #[serde(default)]
    total_count: Value,
    #[serde(rename = "SmsSendDetailDTOs")]
    details: Option<List>,
}

#[derive(Deserialize)]
struct List {
    #[serde(rename = "SmsSendDetailDTO", default)]
    list: Vec<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    #[serde(default)]
    out_id: String,
}

/// `TotalCount` has been seen as a number and as a string. Without a readable one the answer proves nothing.
fn read(body: &[u8]) -> Option<Details> {
    let said: Said = serde_json::from_slice(body).ok()?;
    let total = said.total_count.as_u64().or_else(|| said.total_count.as_str()?.parse().ok())?;
    let keys = said.details.map_or_else(Vec::new, |details| details.list.into_iter().map(|one| one.out_id).collect());
    (said.code == "OK").then_some(Details { total: usize::try_from(total).ok()?, keys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_and_refusals_prove_nothing() {
        let page = r#"{"Code":"OK","TotalCount":"2","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"ntf_1","SendStatus":3},{"SendStatus":1}]}}"#;
        assert_eq!(read(page.as_bytes()), Some(Details { total: 2, keys: vec!["ntf_1".to_owned(), String::new()] }));
        let none = r#"{"Code":"OK","TotalCount":0}"#;
        assert_eq!(read(none.as_bytes()), Some(Details { total: 0, keys: vec![] }));
        for body in ["<html>", r#"{"Code":"isp.SYSTEM_ERROR","TotalCount":0}"#, r#"{"Code":"OK"}"#] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
