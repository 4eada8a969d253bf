//! A case as every audience reads it. Who may read which case is for the use cases to say.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::edge::answers::problem::FieldError;
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::api::shared::bilingual::Bilingual;
use crate::api::shared::ruling::{OutcomeWord, ResultDocumentBody};
use crate::casework::read_models::VersionedCase;
use crate::catalog::Snapshot;
use crate::domain::case::number::CaseNumber;
use crate::domain::case::{Case, Decision, Delivery, State, Supplement};
use crate::domain::item::due::Missed;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::CaseId;
use crate::domain::kernel::text;

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
    /// 受理日: from which day the decision is owed, once the case was accepted.
    pub accepted_on: Option<NaiveDate>,
    /// 承诺办结日: by when a decision is promised.
    pub promised_on: Option<NaiveDate>,
    /// 法定办结日: by when the law wants one. Absent where it sets no period, and while the working days of its year are not
    /// announced.
    pub legal_on: Option<NaiveDate>,
    /// How it ended, once it has.
    pub decision: Option<DecisionBody>,
    /// That the applicant took it back, if they did.
    pub withdrawal: Option<WithdrawalBody>,
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

/// What is wrong with a part of a delivery that comes: it is missing, or its way has no use for it.
#[must_use]
pub fn misplaced(pointer: &str, is_there: bool, is_wanted: bool) -> Option<FieldError> {
    let (code, zh, en) = match (is_there, is_wanted) {
        (false, true) => ("required", "必填", "This is required"),
        (true, false) => ("not_allowed", "此送达方式不需要此项", "It does not go with this way of delivery"),
        _ => return None,
    };
    Some(FieldError::new(pointer, code, text::Bilingual::new(zh, en)))
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
    /// Which of its days it came too late for; absent where it came in time.
    pub missed: Option<MissedWord>,
}

/// 逾期: which of its days a decision came too late for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "Missed", rename_all = "snake_case", remote = "Missed")]
pub enum MissedWord {
    /// 承诺时限
    Promise,
    /// 法定时限
    Law,
}

/// 撤回。 The applicant took the application back.
#[derive(Debug, Clone, Object)]
#[oai(rename = "CaseWithdrawal")]
pub struct WithdrawalBody {
    /// When.
    pub withdrawn_at: Instant,
    /// Why, in the applicant's words.
    pub reason: String,
}

/// 补正告知。 What was missing, and whether it was handed in.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Supplement", skip_serializing_if_is_none)]
pub struct SupplementBody {
    /// Everything that was missing.
    pub points: Vec<String>,
    /// When the applicant was told.
    pub noticed_at: Instant,
    /// By when they should hand it in. What comes later counts all the same.
    pub answer_by: Option<NaiveDate>,
    /// When they handed it in.
    pub answered_at: Option<Instant>,
}

impl CaseBody {
    /// Shows a case, with the name of its item from the catalogue.
    #[must_use]
    pub fn of(versioned: &VersionedCase, catalog: &Snapshot) -> Self {
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
            accepted_on: case.deadlines.map(|deadlines| deadlines.accepted_on),
            promised_on: case.deadlines.map(|deadlines| deadlines.promised_on),
            legal_on: case.deadlines.and_then(|deadlines| deadlines.legal_on),
            decision: DecisionBody::of(case),
            withdrawal: WithdrawalBody::of(&case.state),
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
    fn of(case: &Case) -> Option<Self> {
        let (outcome, decision): (_, &Decision) = match &case.state {
            State::Granted(decision) => (OutcomeWord::Grant, decision),
            State::Denied(decision) => (OutcomeWord::Deny, decision),
            _ => return None,
        };
        let result = decision.result.as_ref().map(ResultDocumentBody::from);
        let missed = case.missed().map(MissedWord::from);
        Some(Self { outcome, reasons: decision.reasons.clone(), result, decided_at: decision.at, missed })
    }
}

impl WithdrawalBody {
    fn of(state: &State) -> Option<Self> {
        match state {
            State::Withdrawn { at, reason } => Some(Self { withdrawn_at: *at, reason: reason.clone() }),
            _ => None,
        }
    }
}

impl From<&Supplement> for SupplementBody {
    fn from(supplement: &Supplement) -> Self {
        Self {
            points: supplement.points.clone(),
            noticed_at: supplement.noticed_at,
            answer_by: supplement.answer_by,
            answered_at: supplement.answered_at,
        }
    }
}

impl Example for CaseBody {
    fn example() -> Self {
        let on = |day| NaiveDate::from_ymd_opt(2026, 3, day).unwrap_or_default();
        let at = |day| on(day).and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(2);
        Self {
            id: CaseId::from_uuid(EXAMPLE),
            number: number_example(),
            item: CaseItem {
                code: "JT-0045".to_owned(),
                version: 1,
                name: Bilingual {
                    zh: "居住证申领".to_owned(), en: "Application for a residence permit".to_owned()
                },
            },
            agency: "public-security".to_owned(),
            state: CaseState::Granted,
            delivery: DeliveryBody { way: WayWord::Courier, carrier: Some("ems".to_owned()), hall: None },
            submitted_at: at(2),
            due_on: None,
            accepted_on: Some(on(3)),
            promised_on: Some(on(12)),
            legal_on: Some(on(18)),
            decision: Some(DecisionBody {
                outcome: OutcomeWord::Grant,
                reasons: String::new(),
                result: Some(ResultDocumentBody::example()),
                decided_at: at(6),
                missed: None,
            }),
            withdrawal: None,
            supplement: None,
            version: 3,
        }
    }
}

/// A case's number, for the documents.
#[must_use]
pub fn number_example() -> String {
    CaseNumber::new(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap_or_default(), 42).as_str().to_owned()
}
