//! EMS's callback with scans (interface 040002, a *push*), and our answer to it. A push is encrypted with the key that EMS
//! shares with us alone. That is no signature, but a caller without the key cannot write one that decrypts to JSON.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cipher::Sm4Key;
use super::scans::TrackingEvent;
use crate::domain::delivery::parcel::Scan;
use crate::gateway::courier::lenient::{self, Text, WithRaw};
use crate::gateway::courier::{Acknowledgement, CallbackFault, RawCallback};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Push {
    serial_no: Text,
    #[serde(rename = "logitcsInterface")] // EMS's own spelling
    sealed: Text,
}

fn push(call: &RawCallback) -> Option<Push> {
    serde_json::from_slice(call.body.expose()).ok()
}

pub(super) fn read(call: &RawCallback, key: &Sm4Key) -> Result<Vec<Scan>, CallbackFault> {
    let push = push(call).ok_or(CallbackFault::NotAuthentic)?;
    let opened = key.open(&push.sealed).ok_or(CallbackFault::NotAuthentic)?;
    // If a text was encrypted with another key, its padding is nevertheless valid in about one of 256 cases, by chance.
    // The decrypted text is then not JSON, so the callback is refused here.
    let content: Value = serde_json::from_str(opened.expose()).map_err(|_| CallbackFault::NotAuthentic)?;
    let events: Vec<WithRaw<TrackingEvent>> = lenient::entries(content);
    let scans: Vec<Scan> = events.into_iter().filter_map(|event| event.scan(None)).collect();
    if scans.is_empty() { Err(CallbackFault::Unreadable("no event in it".to_owned())) } else { Ok(scans) }
}

/// Returns the answer to a push. EMS accepts an answer only if it repeats the push's serial number.
pub(super) fn acknowledge(call: &RawCallback, sender_no: &str, taken: bool) -> Acknowledgement {
    let serial_no = push(call).unwrap_or_default().serial_no.0;
    let (code, message) = if taken { ("00000", "成功") } else { ("99999", "失败") };
    let body = json!({"serialNo": serial_no, "code": code, "codeMessage": message, "senderNo": sender_no});
    Acknowledgement { status: 200, content_type: "application/json;charset=UTF-8", body: body.to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::kernel::private::Private;

    const EVENT: &str = r#"{"waybillNo":"1200000000001","orderNo":"SD01","opCode":"203","opName":"收寄",
        "opTime":"2025-01-02 10:00:00"}"#;

    fn key() -> Sm4Key {
        Sm4Key::parse(Private::new("R292VGVzdFNtNEtleTAxNg==".to_owned())).unwrap()
    }

    fn call(body: impl Into<Vec<u8>>) -> RawCallback {
        let body = Private::new(body.into());
        RawCallback { content_type: "application/json".to_owned(), query: String::new(), body }
    }

    fn pushed(sealed: &str) -> RawCallback {
        call(json!({"serialNo": "0f", "method": "040002", "logitcsInterface": sealed}).to_string())
    }

    #[test]
    fn a_push_is_read_with_and_without_the_key_text() {
        for sealed in [key().seal(EVENT), key().seal_as_pushed(EVENT), key().seal_as_pushed(&format!("[{EVENT}]"))] {
            let scans = read(&pushed(&sealed), &key()).unwrap();
            assert_eq!(scans[0].key, "1200000000001/2025-01-02 10:00:00/203");
        }
    }

    #[test]
    fn a_push_with_another_key_is_refused() {
        let other = Sm4Key::parse(Private::new("WjNoNmhXWE12SFZJdk0zWQ==".to_owned())).unwrap();
        assert_eq!(read(&pushed(&other.seal(EVENT)), &key()), Err(CallbackFault::NotAuthentic));
        assert_eq!(read(&pushed(EVENT), &key()), Err(CallbackFault::NotAuthentic));
        assert_eq!(read(&call("junk"), &key()), Err(CallbackFault::NotAuthentic), "nothing shows who sent it");
        assert!(matches!(read(&pushed(&key().seal("{}")), &key()), Err(CallbackFault::Unreadable(_))));
    }

    #[test]
    fn the_answer_repeats_the_serial_number() {
        let answer = |taken| serde_json::from_str::<Value>(&acknowledge(&pushed(""), "11", taken).body).unwrap();
        assert_eq!(answer(true), json!({"serialNo": "0f", "code": "00000", "codeMessage": "成功", "senderNo": "11"}));
        assert_ne!(answer(false)["code"], "00000");
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
            for call in [call(bytes), pushed(&text), pushed(&key().seal(&text))] {
                prop_assert!(read(&call, &key()).is_err());
                let _ = acknowledge(&call, "11", true);
            }
        }
    }
}
