//! Reads EMS's answers: `{retCode, retMsg, retBody, …}`. `retBody` is JSON, JSON inside a string, or missing.

use serde::Deserialize;
use serde_json::Value;

use super::refusals::Refusals;
use crate::gateway::courier::lenient::{self, Text};
use crate::gateway::courier::refusal::{CarrierRefusal, Operation};

const SUCCESS: &str = "00000";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmsAnswer {
    ret_code: Text,
    #[serde(default)]
    ret_msg: Text,
    #[serde(default)]
    ret_body: Value,
}

pub(super) fn read(body: &[u8], refusals: &Refusals, operation: Operation) -> Result<Value, CarrierRefusal> {
    let answer: EmsAnswer = serde_json::from_slice(body).map_err(|_| CarrierRefusal::unclear("not an EMS answer"))?;
    if answer.ret_code.as_str() != SUCCESS {
        return Err(refusals.explain(operation, &code_only(&answer.ret_code), &answer.ret_msg));
    }
    Ok(lenient::unwrapped(answer.ret_body))
}

/// Keeps only the characters that a code can contain, at most 16, so that no personal data gets into a log.
fn code_only(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(16).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::refusals::DEFAULT;
    use super::*;
    use crate::gateway::courier::refusal::RefusalKind;

    fn read_order(body: &str) -> Result<Value, RefusalKind> {
        read(body.as_bytes(), &DEFAULT.parse().unwrap(), Operation::Order).map_err(|refusal| refusal.kind)
    }

    #[test]
    fn the_body_is_a_string_an_object_or_missing() {
        let waybill = Ok(json!({"waybillNo": "1200000000001"}));
        assert_eq!(read_order(r#"{"retCode":"00000","retBody":"{\"waybillNo\":\"1200000000001\"}"}"#), waybill);
        assert_eq!(read_order(r#"{"retCode":"00000","retBody":{"waybillNo":"1200000000001"}}"#), waybill);
        assert_eq!(read_order(r#"{"retCode":"00000","retBody":""}"#), Ok(Value::Null));
        assert_eq!(read_order(r#"{"retCode":"00000","retBody":null}"#), Ok(Value::Null));
        assert_eq!(read_order(r#"{"retCode":"00000"}"#), Ok(Value::Null));
    }

    #[test]
    fn other_answers_are_unclear_or_refusals() {
        assert_eq!(read_order("<html>busy</html>"), Err(RefusalKind::Unclear));
        assert_eq!(read_order("{}"), Err(RefusalKind::Unclear));
        assert_eq!(read_order(r#"{"retCode":17,"retMsg":"订单重复"}"#), Err(RefusalKind::Duplicate));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
            let refusals = DEFAULT.parse().unwrap();
            let _ = read(&bytes, &refusals, Operation::Order);
            let told = json!({"retCode": "1", "retMsg": text, "retBody": text}).to_string();
            prop_assert!(read(told.as_bytes(), &refusals, Operation::Cancel).is_err());
        }
    }
}
