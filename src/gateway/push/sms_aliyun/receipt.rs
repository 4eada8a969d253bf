//! `SmsReport`: the service's receipts, an array of them in each call (短信服务《SmsReport》). They are not signed: the
//! address that they come to is secret, and whoever stores one matches it with a message of ours. They come twice
//! at times.

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
}

/// Reads a call. Receipts that only say that a message is under way, and those of messages that are not ours, are left out.
///
/// # Errors
/// When it is not an array of receipts.
pub fn read(body: &[u8]) -> Result<Vec<PushNews>, CallbackFault> {
    let reports: Vec<Report> =
        serde_json::from_slice(body).map_err(|_| CallbackFault::Unreadable("not an array of receipts".to_owned()))?;
    Ok(reports.into_iter().filter_map(news).collect())
}

fn news(report: Report) -> Option<PushNews> {
    let fate = fact(&report.err_code, report.success)?.fate();
    let of = ReceiptOf::Key(report.out_id?);
    Some(PushNews::Receipt(PushReceipt { address: report.phone_number, of, fate, detail: report.err_code }))
}

/// What a receipt's code means; `None` where nothing is decided yet.
pub fn fact(code: &str, success: bool) -> Option<PushFact> {
    Some(match code {
        "REQUEST_SUCCESS" => return None,
        "DELIVERED" => PushFact::Delivered { reference: None },
        "INVALID_NUMBER" | "MOBILE_NOT_ON_SERVICE" => PushFact::Gone,
        "MOBILE_IN_BLACK" | "USER_REJECT" => PushFact::Refused,
        "CONTENT_KEYWORD" | "CONTENT_ERROR" | "PARAMS_ILLEGAL" | "SIGNATURE_BLACKLIST" => PushFact::Misconfigured,
        _ if success => PushFact::Delivered { reference: None },
        // A phone that is off, full or out of reach, and what nobody has described; also an account in arrears
        // (`MOBILE_ACCOUNT_ABNORMAL`), for which a number is not dropped yet.
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
            of: ReceiptOf::Key("push-0001".to_owned()),
            fate: Fate::Arrived,
            detail: "DELIVERED".to_owned(),
        };
        assert_eq!(read(body.as_bytes()), Ok(vec![PushNews::Receipt(expected)]));
        assert!(read(b"{}").is_err() && read(b"").is_err());
        assert_eq!(read(b"[]"), Ok(vec![]));
    }

    #[test]
    fn every_class_of_code() {
        for (codes, expected) in [
            (&["INVALID_NUMBER", "MOBILE_NOT_ON_SERVICE"][..], PushFact::Gone),
            (&["MOBILE_IN_BLACK", "USER_REJECT"], PushFact::Refused),
            (
                &[
                    "IS_CLOSE",
                    "MOBLLE_TERMINAL_ERROR",
                    "MOBILE_SEND_LIMIT",
                    "SP_UNKNOWN_ERROR",
                    "NO_ROUTE",
                    "MOBILE_ACCOUNT_ABNORMAL",
                    "NEW_ONE",
                ],
                PushFact::Unavailable,
            ),
            (&["CONTENT_KEYWORD", "CONTENT_ERROR", "PARAMS_ILLEGAL", "SIGNATURE_BLACKLIST"], PushFact::Misconfigured),
        ] {
            for code in codes {
                assert_eq!(fact(code, false), Some(expected.clone()), "{code}");
            }
        }
        assert_eq!(fact("NEW_ONE", true), Some(PushFact::Delivered { reference: None }));
    }
}
