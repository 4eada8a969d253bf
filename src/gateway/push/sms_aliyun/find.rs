//! Finds a message by our key (`OutId`), to learn if the service accepted it. `QuerySendDetails` lists the messages
//! that were sent to a phone number on one day.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::Value;

use super::receipt;
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::kernel::private::Private;
use crate::gateway::push::{Found, PushFact, PushReport};
use crate::gateway::shared::aliyun::Rpc;
use crate::gateway::shared::http::{HttpAnswer, HttpFault};

/// The maximum page size that the service allows.
const PAGE: usize = 50;
/// The maximum number of pages that are read for one day. No phone number gets more messages in a day. If there are
/// more pages, the result is [`Found::Unknown`], because the message may be on one of them.
const MOST_PAGES: usize = 20;

/// Looks for a message on every day on which it may have been sent.
pub async fn find(rpc: &Rpc, phone: &Private<String>, key: &str, handed_over: &[Instant]) -> Found {
    // A message sent in the last minute of a day may be listed under the next day.
    let days = handed_over.iter().flat_map(|at| [*at, *at + TimeDelta::minutes(1)]).map(beijing_day);
    let mut found = Found::No;
    for day in days.collect::<BTreeSet<_>>() {
        match find_on(rpc, phone, key, day).await {
            Found::No => {}
            // The copy of this day failed. A copy that was sent on another day may have arrived.
            Found::Failed(report) => found = Found::Failed(report),
            other => return other,
        }
    }
    found
}

/// Queries the messages to a phone number that cannot exist. This call serves as the probe.
pub async fn probe(rpc: &Rpc, now: Instant) -> Result<HttpAnswer, HttpFault> {
    ask(rpc, "0", beijing_day(now), 1).await
}

async fn find_on(rpc: &Rpc, phone: &Private<String>, key: &str, day: NaiveDate) -> Found {
    let mut found = Found::No;
    for page in 1..=MOST_PAGES {
        let answer = ask(rpc, phone.expose(), day, page).await.ok();
        let Some(details) = answer.and_then(|answer| read(&answer.body)) else { return Found::Unknown };
        for detail in details.list.iter().filter(|detail| detail.out_id == key) {
            match detail.failure() {
                None => return Found::Yes,
                Some(report) => found = Found::Failed(report),
            }
        }
        if details.list.is_empty() || page * PAGE >= details.total {
            return found;
        }
    }
    Found::Unknown
}

#[derive(Debug, PartialEq, Eq)]
struct Details {
    /// The number of messages on all pages of the day.
    total: usize,
    list: Vec<Detail>,
}

async fn ask(rpc: &Rpc, phone: &str, day: NaiveDate, page: usize) -> Result<HttpAnswer, HttpFault> {
    let day = day.format("%Y%m%d").to_string();
    let size = PAGE.to_string();
    let page = page.to_string();
    let parameters = [("PhoneNumber", phone), ("SendDate", &day), ("PageSize", &size), ("CurrentPage", &page)];
    rpc.call("QuerySendDetails", &parameters).await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryAnswer {
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

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    /// Our key for the message; empty if the message was sent without a key.
    #[serde(default)]
    out_id: String,
    /// 1: being sent, 2: failed, 3: arrived. A JSON number or a string.
    #[serde(default)]
    send_status: Value,
    /// The status code of the message. A receipt has the same codes.
    #[serde(default)]
    err_code: String,
}

impl Detail {
    /// Builds the report on a failed message, as if the service had refused it at once. Returns `None` if the message
    /// did not fail.
    fn failure(&self) -> Option<PushReport> {
        if self.send_status != 2 && self.send_status != "2" {
            return None;
        }
        let fact = receipt::fact(&self.err_code, false).unwrap_or(PushFact::Unavailable);
        Some(PushReport::new(fact, format!("sent, and failed: {}", self.err_code)))
    }
}

/// Parses an answer. Returns `None` for a refusal, and for an answer without a readable `TotalCount`. This field is
/// sometimes a number and sometimes a string.
fn read(body: &[u8]) -> Option<Details> {
    let answer: QueryAnswer = serde_json::from_slice(body).ok()?;
    let total = answer.total_count.as_u64().or_else(|| answer.total_count.as_str()?.parse().ok())?;
    let list = answer.details.map_or_else(Vec::new, |details| details.list);
    (answer.code == "OK").then_some(Details { total: usize::try_from(total).ok()?, list })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_and_refusals_prove_nothing() {
        let page = r#"{"Code":"OK","TotalCount":"2","SmsSendDetailDTOs":{"SmsSendDetailDTO":[{"OutId":"ntf_1","SendStatus":3},{"SendStatus":1}]}}"#;
        let details = read(page.as_bytes()).unwrap();
        let keys: Vec<&str> = details.list.iter().map(|detail| detail.out_id.as_str()).collect();
        assert_eq!((details.total, keys), (2, vec!["ntf_1", ""]));
        let none = r#"{"Code":"OK","TotalCount":0}"#;
        assert_eq!(read(none.as_bytes()), Some(Details { total: 0, list: vec![] }));
        for body in ["<html>", r#"{"Code":"isp.SYSTEM_ERROR","TotalCount":0}"#, r#"{"Code":"OK"}"#] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn only_a_failed_message_has_a_failure() {
        let failure = |status: Value, code: &str| {
            Detail { out_id: String::new(), send_status: status, err_code: code.to_owned() }.failure()
        };
        for arrived in [1.into(), 3.into(), "3".into(), Value::Null] {
            assert_eq!(failure(arrived, ""), None);
        }
        for (status, code, fact) in [
            (2.into(), "USER_REJECT", PushFact::Refused),
            ("2".into(), "INVALID_NUMBER", PushFact::Gone),
            (2.into(), "IS_CLOSE", PushFact::Unavailable),
            (2.into(), "", PushFact::Unavailable),
        ] {
            assert_eq!(failure(status, code).map(|report| report.fact), Some(fact), "{code}");
        }
    }
}
