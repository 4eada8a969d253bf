//! Reads the service's receipts, which report whether a message arrived (短信服务《SmsReport》). Receipts are not signed. So
//! a receipt counts only if it comes on our secret callback path, and names a message that Songda sent and the number to
//! which Songda sent it. The same receipt can come twice.

use serde::Deserialize;

use crate::domain::kernel::private::Private;
use crate::gateway::push::{PushFact, PushNews, PushReceipt, ReceiptOf};
use crate::gateway::shared::callback::CallbackFault;

#[derive(Deserialize)]
struct Report {
    phone_number: Private<String>,
    #[serde(default)]
    success: bool,
    #[serde(default)]
    err_code: String,
    out_id: Option<String>,
    /// The service's id for the message, which was in its answer to `SendSms`.
    biz_id: Option<String>,
}

/// Reads the body of a callback, which is an array of receipts. Leaves out receipts of messages that are still being
/// sent, and receipts without an `out_id`, the field that contains Songda's key.
pub fn read(body: &[u8]) -> Result<Vec<PushNews>, CallbackFault> {
    let reports: Vec<Report> =
        serde_json::from_slice(body).map_err(|_| CallbackFault::Unreadable("not an array of receipts".to_owned()))?;
    Ok(reports.into_iter().filter_map(news).collect())
}

fn news(report: Report) -> Option<PushNews> {
    let fate = fact(&report.err_code, report.success)?.fate();
    let of = ReceiptOf::Key { key: report.out_id?, reference: report.biz_id };
    Some(PushNews::Receipt(PushReceipt { address: plain(report.phone_number), of, fate, detail: report.err_code }))
}

/// Removes the country code from a mainland mobile number, if the receipt contains one.
fn plain(number: Private<String>) -> Private<String> {
    let text = number.expose();
    let without = ["+86", "0086", "86"].iter().find_map(|code| text.strip_prefix(code)).filter(|rest| rest.len() == 11);
    let without = without.map(|rest| Private::new(rest.to_owned()));
    without.unwrap_or(number)
}

/// Turns a receipt's code into a fact; `None` if the message is still being sent.
pub fn fact(code: &str, success: bool) -> Option<PushFact> {
    Some(match code {
        "REQUEST_SUCCESS" => return None,
        "DELIVERED" => PushFact::Delivered { reference: None },
        "INVALID_NUMBER" | "MOBILE_NOT_ON_SERVICE" => PushFact::Gone,
        "MOBILE_IN_BLACK" | "USER_REJECT" => PushFact::Refused,
        "CONTENT_KEYWORD" | "CONTENT_ERROR" | "PARAMS_ILLEGAL" | "SIGNATURE_BLACKLIST" => PushFact::Misconfigured,
        _ if success => PushFact::Delivered { reference: None },
        // The phone is off, full or out of reach, its account is in arrears (`MOBILE_ACCOUNT_ABNORMAL`), or the code is
        // undocumented. A later message to this number may arrive.
        _ => PushFact::Unavailable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::work::doubt::Fate;

    #[test]
    fn a_receipt_is_read() {
        let body = r#"[{"phone_number":"13800000000","send_time":"2026-01-02 09:30:00","report_time":"2026-01-02 09:30:05","success":true,"err_code":"DELIVERED","err_msg":"..","sms_size":"1","biz_id":"7000^0","out_id":"push-0001"},
            {"phone_number":"13800000000","success":false,"err_code":"REQUEST_SUCCESS","biz_id":"7000^1"}]"#;
        let expected = PushReceipt {
            address: Private::new("13800000000".to_owned()),
            of: ReceiptOf::Key { key: "push-0001".to_owned(), reference: Some("7000^0".to_owned()) },
            fate: Fate::Arrived,
            detail: "DELIVERED".to_owned(),
        };
        assert_eq!(read(body.as_bytes()), Ok(vec![PushNews::Receipt(expected)]));
        assert!(read(b"{}").is_err() && read(b"").is_err());
        assert_eq!(read(b"[]"), Ok(vec![]));
    }

    #[test]
    fn a_country_code_is_no_part_of_the_number() {
        for number in ["13800000000", "+8613800000000", "8613800000000", "008613800000000"] {
            assert_eq!(plain(Private::new(number.to_owned())).expose(), "13800000000");
        }
        assert_eq!(plain(Private::new("86123".to_owned())).expose(), "86123");
    }

    #[test]
    fn each_code_has_its_fact() {
        for (codes, expected) in [
            (&["INVALID_NUMBER", "MOBILE_NOT_ON_SERVICE"][..], PushFact::Gone),
            (&["MOBILE_IN_BLACK", "USER_REJECT"], PushFact::Refused),
            (&["IS_CLOSE", "MOBLLE_TERMINAL_ERROR", "MOBILE_SEND_LIMIT", "SP_UNKNOWN_ERROR"], PushFact::Unavailable),
            (&["NO_ROUTE", "MOBILE_ACCOUNT_ABNORMAL", "NEW_ONE"], PushFact::Unavailable),
            (&["CONTENT_KEYWORD", "CONTENT_ERROR", "PARAMS_ILLEGAL", "SIGNATURE_BLACKLIST"], PushFact::Misconfigured),
        ] {
            for code in codes {
                assert_eq!(fact(code, false), Some(expected.clone()), "{code}");
            }
        }
        assert_eq!(fact("NEW_ONE", true), Some(PushFact::Delivered { reference: None }));
    }
}
