//! A case as every audience reads it. Who may read which case is for the use cases to say.

use chrono::NaiveDate;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::bilingual::Bilingual;
use crate::api::edge::wire_ids::EXAMPLE;
use crate::api::ruling::{OutcomeWord, ResultDocumentBody};
use crate::catalog::Snapshot;
use crate::domain::case::{Decision, Delivery, State, Supplement};
use crate::domain::clock::Instant;
use crate::domain::ids::CaseId;
use crate::store::cases::Versioned;

/// 办件。 A case.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Case", example, skip_serializing_if_is_none)]
pub struct CaseBody {
    /// Its id.
    pub id: CaseId,
    /// 办件编号: for people.
    pub number: String,
    /// What it is about.
    pub item: CaseItem,
    /// The code of the agency that decides.
    pub agency: String,
    /// Where it stands.
    pub state: CaseState,
    /// How the result is to arrive.
    pub delivery: DeliveryBody,
    /// When it was submitted.
    pub submitted_at: Instant,
    /// By when the agency owes its next act; absent while the applicant is to move, and at the end.
    pub due_on: Option<NaiveDate>,
    /// How it ended, once it has.
    pub decision: Option<DecisionBody>,
    /// What was missing, if a notice said so.
    pub supplement: Option<SupplementBody>,
    /// Counts its changes from 1; also its `ETag`.
    pub version: i64,
}

/// The item of a case, as it was when the case was opened.
#[derive(Debug, Clone, Object)]
pub struct CaseItem {
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: i32,
    /// Its name.
    pub name: Bilingual,
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CaseState {
    /// 已提交
    Submitted,
    /// 补正中
    SupplementNoticed,
    /// 已受理
    Accepted,
    /// 准予
    Granted,
    /// 不予
    Denied,
    /// 已撤回
    Withdrawn,
}

/// How a result is to arrive.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Delivery", skip_serializing_if_is_none)]
pub struct DeliveryBody {
    /// In which way.
    pub way: WayWord,
    /// The carrier, of `courier`.
    pub carrier: Option<String>,
    /// The hall's code, of `counter`.
    pub hall: Option<String>,
}

/// A way of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ChosenWay", rename_all = "snake_case")]
pub enum WayWord {
    /// 电子送达
    Electronic,
    /// 快递送达
    Courier,
    /// 窗口领取
    Counter,
}

/// How a case ended.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Decision", skip_serializing_if_is_none)]
pub struct DecisionBody {
    /// Granted or denied.
    pub outcome: OutcomeWord,
    /// Why; a denial always says it.
    pub reasons: String,
    /// What a grant produced.
    pub result: Option<ResultDocumentBody>,
    /// When.
    pub decided_at: Instant,
}

/// 补正告知。 What was missing, and whether it was handed in.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Supplement", skip_serializing_if_is_none)]
pub struct SupplementBody {
    /// Everything that was missing.
    pub points: Vec<String>,
    /// When the applicant was told.
    pub noticed_at: Instant,
    /// When they handed it in.
    pub answered_at: Option<Instant>,
}

impl CaseBody {
    /// Shows a case, with the name of its item from the catalogue.
    #[must_use]
    pub fn of(versioned: &Versioned, catalog: &Snapshot) -> Self {
        let case = &versioned.case;
        let (code, version) = (case.item.to_string(), case.item_version);
        // Every version that a case was opened on stays in the catalogue; the code would be no lie either.
        let nameless = || Bilingual { zh: code.clone(), en: code.clone() };
        let name = catalog.version(&case.item, version).map_or_else(nameless, |item| (&item.item.name).into());
        Self {
            id: case.id,
            number: case.number.as_str().to_owned(),
            item: CaseItem { code, version, name },
            agency: case.agency.as_str().to_owned(),
            state: CaseState::from(&case.state),
            delivery: DeliveryBody::from(&case.delivery),
            submitted_at: case.submitted_at,
            due_on: case.due_on,
            decision: DecisionBody::of(&case.state),
            supplement: case.supplement.as_ref().map(SupplementBody::from),
            version: versioned.version,
        }
    }
}

impl From<&State> for CaseState {
    fn from(state: &State) -> Self {
        match state {
            State::Submitted => Self::Submitted,
            State::SupplementNoticed => Self::SupplementNoticed,
            State::Accepted { .. } => Self::Accepted,
            State::Granted(_) => Self::Granted,
            State::Denied(_) => Self::Denied,
            State::Withdrawn { .. } => Self::Withdrawn,
        }
    }
}

impl From<&Delivery> for DeliveryBody {
    fn from(delivery: &Delivery) -> Self {
        let (way, carrier, hall) = match delivery {
            Delivery::Electronic => (WayWord::Electronic, None, None),
            Delivery::Courier { carrier } => (WayWord::Courier, Some(carrier.to_string()), None),
            Delivery::Counter { hall } => (WayWord::Counter, None, Some(hall.clone())),
        };
        Self { way, carrier, hall }
    }
}

impl DecisionBody {
    fn of(state: &State) -> Option<Self> {
        let (outcome, decision): (_, &Decision) = match state {
            State::Granted(decision) => (OutcomeWord::Grant, decision),
            State::Denied(decision) => (OutcomeWord::Deny, decision),
            _ => return None,
        };
        let result = decision.result.as_ref().map(ResultDocumentBody::from);
        Some(Self { outcome, reasons: decision.reasons.clone(), result, decided_at: decision.at })
    }
}

impl From<&Supplement> for SupplementBody {
    fn from(supplement: &Supplement) -> Self {
        Self {
            points: supplement.points.clone(),
            noticed_at: supplement.noticed_at,
            answered_at: supplement.answered_at,
        }
    }
}

impl Example for CaseBody {
    fn example() -> Self {
        let at = |hour: i64| Instant::UNIX_EPOCH + chrono::TimeDelta::hours(hour);
        let (submitted, decided) = (at(498_744), at(498_840)); // 2026-11-24 and four days later.
        Self {
            id: CaseId::from_uuid(EXAMPLE),
            number: "SD20261124000042".to_owned(),
            item: CaseItem {
                code: "JT-0001".to_owned(),
                version: 1,
                name: Bilingual { zh: "居住证核发".to_owned(), en: "Residence permit".to_owned() },
            },
            agency: "public-security".to_owned(),
            state: CaseState::Granted,
            delivery: DeliveryBody { way: WayWord::Courier, carrier: Some("ems".to_owned()), hall: None },
            submitted_at: submitted,
            due_on: None,
            decision: Some(DecisionBody {
                outcome: OutcomeWord::Grant,
                reasons: String::new(),
                result: Some(ResultDocumentBody::example()),
                decided_at: decided,
            }),
            supplement: None,
            version: 3,
        }
    }
}
