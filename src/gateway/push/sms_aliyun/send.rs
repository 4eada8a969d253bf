//! Formats the variables of a message for `SendSms`, and interprets the answers (短信服务《SendSms》).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::kernel::clock::{Instant, until_beijing_midnight};
use crate::domain::notice::notification::PushMessage;
use crate::gateway::push::{PushFact, PushReport};
use crate::gateway::shared::aliyun::{EdgeFault, edge_fault};
use crate::gateway::shared::http::{HttpAnswer, HttpFault};

/// The maximum length of a template's variable, in characters, as Alibaba's console shows it. Alibaba's description of
/// the error `PARAM_LENGTH_LIMIT` gives no number.
const VARIABLE_LIMIT: usize = 35;

/// Formats the message's fields as the parameter `TemplateParam`: JSON in a string.
pub fn template_param(message: &PushMessage) -> String {
    let fields: BTreeMap<_, _> = message.fields.iter().map(|(name, text)| (name, fit(text))).collect();
    serde_json::json!(fields).to_string()
}

/// Turns a text into one line of at most [`VARIABLE_LIMIT`] characters. An empty text becomes 无.
fn fit(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        0 => "无".to_owned(),
        1..=VARIABLE_LIMIT => line,
        _ => line.chars().take(VARIABLE_LIMIT - 1).chain(['…']).collect(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendAnswer {
    code: String,
    request_id: Option<String>,
    biz_id: Option<String>,
}

/// Turns an answer into a report. The code in the body decides; the HTTP status decides only if the body is unreadable.
pub fn understand(answer: Result<HttpAnswer, HttpFault>, now: Instant) -> PushReport {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return fault.into(),
    };
    let Ok(read) = serde_json::from_slice::<SendAnswer>(&answer.body) else {
        return PushReport::of_unreadable(&answer);
    };
    let request_id = read.request_id.as_deref().unwrap_or("none");
    let detail = format!("{}, request {request_id}", read.code);
    let fact = match fact(&read.code, now) {
        None => return PushReport::unexplained(detail),
        Some(PushFact::Delivered { .. }) => PushFact::Delivered { reference: read.biz_id },
        Some(other) => other,
    };
    PushReport::new(fact, detail)
}

/// Turns a result code into a fact; `None` if the code is undocumented.
fn fact(code: &str, now: Instant) -> Option<PushFact> {
    match edge_fault(code) {
        Some(EdgeFault::Throttled) => return Some(PushFact::Throttled { after: None }),
        Some(EdgeFault::Account) => return Some(PushFact::Misconfigured),
        Some(EdgeFault::Unclear) => return Some(PushFact::Ambiguous),
        None => {}
    }
    Some(match code {
        "OK" => PushFact::Delivered { reference: None },
        // The service may have sent the message before the error occurred.
        "isp.SYSTEM_ERROR" => PushFact::Ambiguous,
        "isv.MOBILE_NUMBER_ILLEGAL" => PushFact::Gone,
        "isv.CUSTOMER_REFUSED" => PushFact::Refused,
        // Songda sent too many messages to this phone number.
        "isv.BUSINESS_LIMIT_CONTROL" => PushFact::Throttled { after: Some(Duration::from_hours(1)) },
        // The daily limit ends at midnight. The monthly limit gets the same wait, because an operator may raise it on
        // any day.
        "isv.DAY_LIMIT_CONTROL" | "isv.MONTH_LIMIT_CONTROL" => {
            PushFact::Throttled { after: Some(until_beijing_midnight(now)) }
        }
        _ if is_ours_to_correct(code) => PushFact::Misconfigured,
        _ => return None,
    })
}

/// True if a retry is useless until our account, template or message is corrected.
fn is_ours_to_correct(code: &str) -> bool {
    const MESSAGE: [&str; 7] = [
        "isv.BLACK_KEY_CONTROL_LIMIT",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.INVALID_JSON_PARAM",
        "isv.INVALID_PARAMETERS",
        "isv.MOBILE_COUNT_OVER_LIMIT",
    ];
    const ACCOUNT: [&str; 10] = [
        "isv.SMS_TEMPLATE_ILLEGAL",
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.SIGN_STATE_ILLEGAL",
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "isv.DENY_IP_RANGE",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
        "isv.EXTEND_CODE_ERROR",
        "isp.RAM_PERMISSION_DENY",
    ];
    MESSAGE.contains(&code) || ACCOUNT.contains(&code) || code.starts_with("isv.ACCOUNT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_fact() {
        let now: Instant = "2026-01-01T15:00:00Z".parse().unwrap();
        let throttled = |after: Option<u64>| PushFact::Throttled { after: after.map(Duration::from_secs) };
        for (codes, expected) in [
            (&["OK"][..], PushFact::Delivered { reference: None }),
            (&["isv.MOBILE_NUMBER_ILLEGAL"], PushFact::Gone),
            (&["isv.CUSTOMER_REFUSED"], PushFact::Refused),
            (&["isv.BUSINESS_LIMIT_CONTROL"], throttled(Some(3_600))),
            (&["isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL"], throttled(Some(3_600))),
            (&["Throttling", "Throttling.User", "Throttling.Api"], throttled(None)),
            (&["isp.SYSTEM_ERROR", "ServiceUnavailable", "InternalError", "SignatureNonceUsed"], PushFact::Ambiguous),
            (&["isv.BLACK_KEY_CONTROL_LIMIT", "isv.SMS_TEMPLATE_ILLEGAL"], PushFact::Misconfigured),
            (&["isv.ACCOUNT_ABNORMAL", "isp.RAM_PERMISSION_DENY", "InvalidTimeStamp.Expired"], PushFact::Misconfigured),
            (&["SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound"], PushFact::Misconfigured),
        ] {
            for code in codes {
                assert_eq!(fact(code, now), Some(expected.clone()), "{code}");
            }
        }
        assert_eq!(["isv.SOMETHING_NEW", ""].map(|code| fact(code, now)), [None, None]);
    }

    #[test]
    fn variables_are_short_lines() {
        assert_eq!(fit(" 居住证\n办理 "), "居住证 办理");
        assert_eq!(fit(&"长".repeat(36)).chars().count(), 35);
        assert_eq!(fit(""), "无");
    }
}
