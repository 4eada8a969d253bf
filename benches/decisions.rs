//! Requests with decisions of a back-office system. Except in [`batch_for`], each decision is for a person whom the
//! database does not know yet, and causes exactly one message. That is the worst case: the lookup of the person finds
//! nothing, and a new row is written.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::library::Clock;
use crate::residents::Resident;
use crate::wire;

static NEXT_PHONE: AtomicU64 = AtomicU64::new(13_900_000_000);

/// Returns a request that hands in one decision, and the phone that its message goes to.
pub fn request(token: &str) -> (u64, Vec<u8>) {
    let phone = NEXT_PHONE.fetch_add(1, Ordering::Relaxed);
    let bearer = format!("Bearer {token}");
    let key = format!("k{phone}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("content-type", "application/json")];
    let path = format!("/integration/v1/results/bench/{phone}");
    (phone, wire::request("PUT", &path, &headers, &decision("", phone, "")))
}

/// Returns a request that hands in `count` decisions.
pub fn batch(token: &str, count: usize) -> Vec<u8> {
    batch_of(token, std::iter::repeat_n("", count))
}

/// Returns a request that hands in one decision for each of these residents.
pub fn batch_for(token: &str, residents: &[Resident]) -> Vec<u8> {
    let named = residents.iter().map(|resident| format!(r#","resident_id":"{}""#, resident.id()));
    batch_of(token, named)
}

fn batch_of(token: &str, named: impl Iterator<Item = impl AsRef<str>>) -> Vec<u8> {
    let row = |named: &str| {
        let phone = NEXT_PHONE.fetch_add(1, Ordering::Relaxed);
        decision(&format!(r#""ref":"{phone}","#), phone, named)
    };
    let rows: Vec<String> = named.map(|named| row(named.as_ref())).collect();
    let bearer = format!("Bearer {token}");
    let key = format!("b{}", NEXT_PHONE.load(Ordering::Relaxed));
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("content-type", "application/json")];
    wire::request("POST", "/integration/v1/result-batches", &headers, &format!(r#"{{"results":[{}]}}"#, rows.join(",")))
}

/// Returns one decision as JSON. `reference` is the text of a further JSON member of the decision, and `named` is the
/// text of a further member of the applicant. Both can be empty.
fn decision(reference: &str, phone: u64, named: &str) -> String {
    let decided_at = Clock::system().now().to_rfc3339();
    format!(
        r#"{{{reference}"item_code":"JT-0003","applicant":{{"phone":"{phone}"{named}}},"outcome":"grant","reasons":"材料齐全，符合法定条件。","result":{{"title":"社会保障卡","number":"B-{phone}"}},"decided_at":"{decided_at}","delivery":{{"way":"electronic"}}}}"#
    )
}
