//! A ruling (决定) in a request of an officer or of another system: the outcome, the reasons, and the result of a grant.

use poem_openapi::{Enum, Object};

use crate::api::edge::{FieldError, example};
use crate::domain::case::{ResultDocument, Ruling};

/// 决定结果。 The outcome of a decision: `grant` (准予) or `deny` (不予).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Outcome", rename_all = "snake_case")]
pub enum OutcomeWord {
    Grant,
    Deny,
}

/// 结果。 The result of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "ResultDocument", deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ResultDocumentBody {
    /// The title of the document, for example 居住证.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub title: String,
    /// The number of the document, if it has one.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub number: Option<String>,
}

impl From<&ResultDocument> for ResultDocumentBody {
    fn from(result: &ResultDocument) -> Self {
        Self { title: result.title.clone(), number: result.number.clone() }
    }
}

example!(ResultDocumentBody { title: "居住证".to_owned(), number: Some("JZ320413000042".to_owned()) });

/// Validates a ruling. Fails with all contradictions (a grant without a result, a denial with a result, a denial
/// without reasons: 行政许可法 38), and with all texts that are blank or cannot be stored.
pub fn ruling(
    outcome: OutcomeWord,
    reasons: String,
    result: Option<ResultDocumentBody>,
) -> Result<Ruling, Vec<FieldError>> {
    let mut faults = Vec::new();
    if reasons.contains('\0') {
        faults.push(unwritable("/reasons"));
    } else if outcome == OutcomeWord::Deny && reasons.trim().is_empty() {
        faults.push(no_reasons());
    }
    faults.extend(result.iter().flat_map(ResultDocumentBody::faults));
    match (outcome, result) {
        (OutcomeWord::Grant, None) => {
            faults.push(FieldError::new("/result", "required", "准予须写明结果", "A grant needs a result"));
        }
        (OutcomeWord::Deny, Some(_)) => {
            faults.push(FieldError::new("/result", "not_allowed", "不予没有结果", "A denial has no result"));
        }
        (OutcomeWord::Grant, Some(ResultDocumentBody { title, number })) if faults.is_empty() => {
            return Ok(Ruling::Grant { result: ResultDocument { title, number }, reasons });
        }
        (OutcomeWord::Deny, None) if faults.is_empty() => return Ok(Ruling::Deny { reasons }),
        _ => {}
    }
    Err(faults)
}

impl ResultDocumentBody {
    fn faults(&self) -> impl Iterator<Item = FieldError> {
        let is_unwritable = |text: &String| text.trim().is_empty() || text.contains('\0');
        let title = is_unwritable(&self.title).then(|| unwritable("/result/title"));
        let number = self.number.as_ref().is_some_and(is_unwritable).then(|| unwritable("/result/number"));
        title.into_iter().chain(number)
    }
}

/// Creates the fault of a text that is blank, or contains a NUL, which PostgreSQL cannot store.
fn unwritable(pointer: &str) -> FieldError {
    FieldError::new(pointer, "wrong_format", "格式不正确", "It does not have the right format")
}

pub fn no_reasons() -> FieldError {
    FieldError::new("/reasons", "required", "不予须说明理由", "A denial needs reasons")
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::Example;

    use super::*;

    #[test]
    fn a_ruling_must_not_contradict_itself() {
        let read = |outcome, reasons: &str, result: Option<()>| {
            let result = result.map(|()| ResultDocumentBody::example());
            ruling(outcome, reasons.to_owned(), result).map_err(pointers)
        };
        assert!(matches!(read(OutcomeWord::Grant, "", Some(())), Ok(Ruling::Grant { .. })));
        assert!(matches!(read(OutcomeWord::Deny, "不符合条件", None), Ok(Ruling::Deny { .. })));
        let faults = |outcome, reasons: &str, result| read(outcome, reasons, result).unwrap_err();
        assert_eq!(faults(OutcomeWord::Grant, "好", None), ["/result"]);
        assert_eq!(faults(OutcomeWord::Deny, "不符合条件", Some(())), ["/result"]);
        assert_eq!(faults(OutcomeWord::Deny, " ", None), ["/reasons"]);
        assert_eq!(faults(OutcomeWord::Deny, "a\0", None), ["/reasons"]);
    }

    #[test]
    fn all_faults_of_a_ruling_are_reported_at_once() {
        let blank = || Some(ResultDocumentBody { title: " ".to_owned(), number: Some("\0".to_owned()) });
        let faults = |outcome, reasons: &str| pointers(ruling(outcome, reasons.to_owned(), blank()).unwrap_err());
        assert_eq!(faults(OutcomeWord::Grant, "a\0"), ["/reasons", "/result/title", "/result/number"]);
        assert_eq!(faults(OutcomeWord::Deny, ""), ["/reasons", "/result/title", "/result/number", "/result"]);
    }

    fn pointers(faults: Vec<FieldError>) -> Vec<String> {
        faults.into_iter().map(|fault| fault.pointer).collect()
    }
}
