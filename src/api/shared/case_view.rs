//! A case, as all audiences see it. The use cases decide who may read which case.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use poem_openapi::{Enum, Object};

use crate::api::edge::{EXAMPLE, FieldError, Shown, example};
use crate::api::shared::bilingual::Bilingual;
use crate::api::shared::ruling::{OutcomeWord, ResultDocumentBody};
use crate::casework::read_models::VersionedCase;
use crate::catalog::Snapshot;
use crate::domain::case::number::CaseNumber;
use crate::domain::case::{Case, Decision, Delivery, State, Supplement};
use crate::domain::item::due::Missed;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::CaseId;

/// 办件。 A case.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Case", example, skip_serializing_if_is_none)]
pub struct CaseBody {
    pub id: CaseId,
    /// 办件编号: the number of the case, for people.
    pub number: String,
    pub item: CaseItem,
    /// The code of the deciding agency.
    pub agency: String,
    pub state: CaseState,
    pub delivery: DeliveryBody,
    pub submitted_at: Instant,
    /// The due date of the agency's next act; absent while the applicant must act, and after the case has ended.
    pub due_on: Option<NaiveDate>,
    /// 受理日: the day from which the promised and the legal period count; absent until the case is accepted.
    pub accepted_on: Option<NaiveDate>,
    /// 承诺办结日: the promised day of the decision.
    pub promised_on: Option<NaiveDate>,
    /// 法定办结日: the last day that the law allows for the decision. Absent if the law sets no period, and while the
    /// working days of the year in which that day falls are not announced.
    pub legal_on: Option<NaiveDate>,
    /// The decision; absent until the case is decided.
    pub decision: Option<DecisionBody>,
    /// Present if the applicant has withdrawn the application.
    pub withdrawal: Option<WithdrawalBody>,
    /// Present if the agency has given a supplement notice.
    pub supplement: Option<SupplementBody>,
    /// The version of the case, also in the `ETag`. It starts at 1 and grows with every change.
    pub version: i64,
}

/// 事项。 The item of a case, in its version at the submission.
#[derive(Debug, Clone, Object)]
pub struct CaseItem {
    pub code: String,
    pub version: i32,
    pub name: Bilingual,
}

/// 办件状态。 The state of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CaseState {
    Submitted,
    SupplementNoticed,
    Accepted,
    Granted,
    Denied,
    Withdrawn,
}

/// 送达方式。 How the result is delivered.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Delivery", skip_serializing_if_is_none)]
pub struct DeliveryBody {
    pub way: WayWord,
    /// The carrier's code, for `courier`.
    pub carrier: Option<String>,
    /// The hall's code, for `counter`.
    pub hall: Option<String>,
}

/// 送达途径。 A way of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ChosenWay", rename_all = "snake_case")]
pub enum WayWord {
    Electronic,
    Courier,
    Counter,
}

/// Checks whether a member of the body fits the chosen way of delivery. `is_there` is true if the member is present,
/// and `is_wanted` is true if the way of delivery needs it. Returns a fault if only one of the two is true.
pub fn misplaced(pointer: &str, is_there: bool, is_wanted: bool) -> Option<FieldError> {
    let (code, zh, en) = match (is_there, is_wanted) {
        (false, true) => ("required", "必填", "This is required"),
        (true, false) => ("not_allowed", "此送达方式不需要此项", "This way of delivery does not need it"),
        _ => return None,
    };
    Some(FieldError::new(pointer, code, zh, en))
}

/// 决定。 The decision on a case.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Decision", skip_serializing_if_is_none)]
pub struct DecisionBody {
    pub outcome: OutcomeWord,
    /// The reasons. A denial always has reasons.
    pub reasons: String,
    /// The result of a grant.
    pub result: Option<ResultDocumentBody>,
    pub decided_at: Instant,
    /// The period that the decision exceeded; absent if it was in time.
    pub missed: Option<Missed>,
}

/// 撤回。 The applicant withdrew the application.
#[derive(Debug, Clone, Object)]
#[oai(rename = "CaseWithdrawal")]
pub struct WithdrawalBody {
    pub withdrawn_at: Instant,
    /// The reason, in the applicant's words.
    pub reason: String,
}

/// 补正告知。 A supplement notice, and whether it was answered.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Supplement", skip_serializing_if_is_none)]
pub struct SupplementBody {
    /// Everything that was missing, point by point.
    pub points: Vec<String>,
    pub noticed_at: Instant,
    /// The day by which the applicant should answer. A later answer counts as well.
    pub answer_by: Option<NaiveDate>,
    pub answered_at: Option<Instant>,
}

impl CaseBody {
    /// Builds the body of a case. `catalog` provides the name of the item.
    pub fn of(versioned: &VersionedCase, catalog: &Snapshot) -> Self {
        let case = &versioned.case;
        let code = case.item.to_string();
        let version = case.item_version;
        // The catalogue keeps every item version that has a case. If a version is missing nevertheless, the item's code
        // is shown instead of its name.
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

    pub fn shown(case: &VersionedCase, catalog: &Snapshot) -> Shown<Self> {
        Shown { body: Self::of(case, catalog), version: case.version }
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
        let reasons = decision.reasons.clone();
        Some(Self { outcome, reasons, result, decided_at: decision.at, missed: case.missed() })
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

fn on(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap_or_default()
}

fn at(day: u32) -> Instant {
    on(day).and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(2)
}

example!(CaseBody {
    id: CaseId::from_uuid(EXAMPLE),
    number: number_example(),
    item: CaseItem {
        code: "JT-0045".to_owned(),
        version: 1,
        name: Bilingual { zh: "居住证申领".to_owned(), en: "Application for a residence permit".to_owned() },
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
});

pub fn number_example() -> String {
    CaseNumber::new(on(2), 42).as_str().to_owned()
}
