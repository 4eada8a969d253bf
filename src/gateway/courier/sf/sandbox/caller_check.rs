//! The platform's checks of every call before a service sees it: fields, timestamp, digest, repetition, rate.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use super::digest::digest;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::sandbox::call::Fields;
use crate::sandbox::seen::Seen;
use crate::sandbox::shards::lock;

/// The maximum difference between the timestamp of a call and the sandbox's clock.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

pub(super) struct CallerCheck {
    partner: String,
    check_word: Private<String>,
    rate: u32,
    requests: Seen,
    counts: Mutex<HashMap<String, InSecond>>,
}

#[derive(Default)]
struct InSecond {
    second: i64,
    calls: u32,
}

impl CallerCheck {
    pub(super) fn new(partner: String, check_word: Private<String>, rate: u32) -> Self {
        Self { partner, check_word, rate, requests: Seen::for_at_least(WINDOW * 2), counts: Mutex::default() }
    }

    pub(super) fn credentials(&self) -> [&str; 2] {
        [&self.partner, self.check_word.expose()]
    }

    /// Checks a call. Returns the message of a valid call, or the platform's error code.
    pub(super) fn pass(&self, form: &Fields, now: Instant) -> Result<Value, &'static str> {
        let needed = ["partnerID", "requestID", "serviceCode", "timestamp", "msgDigest", "msgData"];
        if needed.iter().any(|name| form.get(name).is_empty()) {
            return Err("A1001");
        }
        let at = read_timestamp(form.get("timestamp")).ok_or("A1002")?;
        if (now - at).abs() > WINDOW {
            return Err("A1002");
        }
        let message = form.get("msgData");
        let timestamp = form.get("timestamp");
        if form.get("partnerID") != self.partner
            || form.get("msgDigest") != digest(message, timestamp, self.check_word.expose())
        {
            return Err("A1006");
        }
        if !self.requests.is_new(form.get("requestID"), now) {
            return Err("A1007");
        }
        if !self.has_room(form.get("serviceCode"), now) {
            return Err("A1005");
        }
        serde_json::from_str(message).map_err(|_| "A1099")
    }

    pub(super) fn label_token(&self, waybill: &str) -> String {
        digest(waybill, "label", self.check_word.expose())
    }

    pub(super) fn clear(&self) {
        self.requests.clear();
        lock(&self.counts).clear();
    }

    fn has_room(&self, service: &str, now: Instant) -> bool {
        let mut counts = lock(&self.counts);
        let count = counts.entry(service.to_owned()).or_default();
        if count.second != now.timestamp() {
            *count = InSecond { second: now.timestamp(), calls: 0 };
        }
        count.calls += 1;
        count.calls <= self.rate
    }
}

/// Parses a timestamp. SF documents milliseconds, but one of its official samples sends seconds.
fn read_timestamp(text: &str) -> Option<Instant> {
    let number: i64 = text.parse().ok()?;
    if text.len() > 10 { DateTime::from_timestamp_millis(number) } else { DateTime::from_timestamp(number, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(service: &str, request: &str, timestamp: &str, check_word: &str) -> Fields {
        let message = "{\"orderId\":\"SD1\"}";
        let fields = [
            ("partnerID", "P"),
            ("requestID", request),
            ("serviceCode", service),
            ("timestamp", timestamp),
            ("msgDigest", &digest(message, timestamp, check_word)),
            ("msgData", message),
        ];
        Fields(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn each_check_has_its_code() {
        let check = CallerCheck::new("P".into(), Private::new("word".into()), 2);
        let now: Instant = "2025-01-01T00:00:00Z".parse().unwrap();
        let pass = |form: &Fields| check.pass(form, now).map(|_| ());
        assert_eq!(pass(&Fields::default()), Err("A1001"));
        assert_eq!(pass(&form("S", "1", "1735689299000", "word")), Err("A1002"), "five minutes and a second ago");
        assert_eq!(pass(&form("S", "1", "soon", "word")), Err("A1002"));
        assert_eq!(pass(&form("S", "1", "1735689600000", "guess")), Err("A1006"));
        assert_eq!(pass(&form("S", "1", "1735689600000", "word")), Ok(()));
        assert_eq!(pass(&form("S", "1", "1735689600000", "word")), Err("A1007"));
        assert_eq!(pass(&form("S", "2", "1735689600", "word")), Ok(()), "seconds");
        assert_eq!(pass(&form("S", "3", "1735689600000", "word")), Err("A1005"), "two a second");
        assert_eq!(pass(&form("T", "4", "1735689600000", "word")), Ok(()), "each service has its own limit");
        let later = now + TimeDelta::seconds(1);
        assert!(check.pass(&form("S", "5", "1735689600000", "word"), later).is_ok());
    }
}
