//! 决定, as officers and other systems write it: the outcome, the reasons, and what a grant produces.

use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::edge::problem::FieldError;
use crate::domain::case::{ResultDocument, Ruling};
use crate::domain::text::Bilingual;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Outcome", rename_all = "snake_case")]
pub enum OutcomeWord {
    /// 准予
    Grant,
    /// 不予
    Deny,
}

/// 结果。 What a grant produces.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "ResultDocument", deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ResultDocumentBody {
    /// What it is: 居住证.
    #[oai(validator(max_length = 100, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    pub title: String,
    /// Its number, where it has one.
    #[oai(validator(max_length = 100, pattern = r"^[^\x00]*\S[^\x00]*$"))]
    pub number: Option<String>,
}

impl From<&ResultDocument> for ResultDocumentBody {
    fn from(result: &ResultDocument) -> Self {
        Self { title: result.title.clone(), number: result.number.clone() }
    }
}

impl Example for ResultDocumentBody {
    fn example() -> Self {
        Self { title: "居住证".to_owned(), number: Some("JZ320413000042".to_owned()) }
    }
}

/// Reads a ruling from its three members.
///
/// # Errors
/// What contradicts itself: a grant without its result, a denial with one, or without reasons (行政许可法 38).
pub fn ruling(outcome: OutcomeWord, reasons: String, result: Option<ResultDocumentBody>) -> Result<Ruling, FieldError> {
    match (outcome, result) {
        (OutcomeWord::Grant, Some(ResultDocumentBody { title, number })) => {
            Ok(Ruling::Grant { result: ResultDocument { title, number }, reasons })
        }
        (OutcomeWord::Grant, None) => {
            Err(fault("/result", "required", "准予须写明结果", "A grant says what it produces"))
        }
        (OutcomeWord::Deny, Some(_)) => Err(fault("/result", "not_allowed", "不予没有结果", "A denial produces nothing")),
        (OutcomeWord::Deny, None) if reasons.trim().is_empty() => Err(no_reasons()),
        (OutcomeWord::Deny, None) => Ok(Ruling::Deny { reasons }),
    }
}

/// A denial does not say why.
pub(super) fn no_reasons() -> FieldError {
    fault("/reasons", "required", "不予须说明理由", "A denial needs reasons")
}

fn fault(pointer: &str, code: &'static str, zh: &str, en: &str) -> FieldError {
    FieldError::new(pointer, code, Bilingual::new(zh, en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruling_does_not_contradict_itself() {
        let read = |outcome, reasons: &str, result: Option<()>| {
            let result = result.map(|()| ResultDocumentBody::example());
            ruling(outcome, reasons.to_owned(), result).map_err(|fault| fault.pointer)
        };
        assert!(matches!(read(OutcomeWord::Grant, "", Some(())), Ok(Ruling::Grant { .. })));
        assert!(matches!(read(OutcomeWord::Deny, "不符合条件", None), Ok(Ruling::Deny { .. })));
        assert_eq!(read(OutcomeWord::Grant, "好", None), Err("/result".to_owned()));
        assert_eq!(read(OutcomeWord::Deny, "不符合条件", Some(())), Err("/result".to_owned()));
        assert_eq!(read(OutcomeWord::Deny, " ", None), Err("/reasons".to_owned()));
    }
}
