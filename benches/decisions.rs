//! Decisions of a back-office system, each for somebody new and each owing exactly one message: the worst case for the
//! record, since no person is found in it.

use std::sync::atomic::{AtomicU64, Ordering};

use songda::domain::kernel::clock::Clock;

use crate::residents::Resident;
use crate::wire;

static NEXT_PHONE: AtomicU64 = AtomicU64::new(13_900_000_000);

/// A request that hands in one fresh decision, and the phone that it is told to.
pub fn request(token: &str) -> (u64, Vec<u8>) {
    let phone = NEXT_PHONE.fetch_add(1, Ordering::Relaxed);
    let (bearer, key) = (format!("Bearer {token}"), format!("k{phone}"));
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("content-type", "application/json")];
    let path = format!("/integration/v1/results/bench/{phone}");
    (phone, wire::request("PUT", &path, &headers, &decision("", phone, "")))
}

/// A request that hands in so many fresh decisions at once.
pub fn batch(token: &str, count: usize) -> Vec<u8> {
    rows_at_once(token, std::iter::repeat_n("", count))
}

/// A request that hands in a decision for each of these residents at once.
pub fn batch_for(token: &str, residents: &[Resident]) -> Vec<u8> {
    let named = residents.iter().map(|resident| format!(r#","resident_id":"{}""#, resident.id()));
    rows_at_once(token, named)
}

fn rows_at_once(token: &str, named: impl Iterator<Item = impl AsRef<str>>) -> Vec<u8> {
    let row = |named: &str| {
        let phone = NEXT_PHONE.fetch_add(1, Ordering::Relaxed);
        decision(&format!(r#""ref":"{phone}","#), phone, named)
    };
    let rows: Vec<String> = named.map(|named| row(named.as_ref())).collect();
    let (bearer, key) = (format!("Bearer {token}"), format!("b{}", NEXT_PHONE.load(Ordering::Relaxed)));
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("content-type", "application/json")];
    wire::request("POST", "/integration/v1/result-batches", &headers, &format!(r#"{{"results":[{}]}}"#, rows.join(",")))
}

fn decision(reference: &str, phone: u64, named: &str) -> String {
    let decided_at = Clock::system().now().to_rfc3339();
    format!(
        r#"{{{reference}"item_code":"JT-0003","applicant":{{"phone":"{phone}"{named}}},"outcome":"grant","reasons":"材料齐全，符合法定条件。","result":{{"title":"社会保障卡","number":"B-{phone}"}},"decided_at":"{decided_at}","delivery":{{"way":"electronic"}}}}"#
    )
}
