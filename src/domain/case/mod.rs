//! A case (办件): a submitted application and its handling.
//!
//! Every act that changes a case is a method of [`Case`]. The method consumes the case, and returns the new case and
//! the effects that must follow, such as a notification. Nothing else changes a case.
//!
//! ```text
//! submitted ──accept──► accepted ──decide──► granted | denied
//!   │  ▲                   │
//!   │  └─answer────────┐   │
//!   ├─notice──► supplement_noticed
//!   └────────── withdraw ──┴──► withdrawn          (any time before the decision)
//! ```

pub mod act;
pub mod number;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::item::{AgencyCode, ItemCode};
use crate::domain::case::number::CaseNumber;
use crate::domain::delivery::parcel::{CarrierCode, ParcelState};
use crate::domain::item::calendar::Calendar;
use crate::domain::item::due::{self, Deadlines, Missed};
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::notice::notification::Event;
use crate::domain::people::acting::Actor;

/// A case, without the application that opened it. The application is stored separately and encrypted, and never
/// changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub id: CaseId,
    /// The case number that people read and type.
    pub number: CaseNumber,
    pub applicant: PersonId,
    pub item: ItemCode,
    /// The version of the item when the case was opened.
    pub item_version: i32,
    /// The agency that decides.
    pub agency: AgencyCode,
    pub delivery: Delivery,
    pub submitted_at: Instant,
    /// The date by which the officer must act next. `None` while the applicant must act, and after the case is closed.
    pub due_on: Option<NaiveDate>,
    /// The deadlines of the decision, set when the case is accepted. They stay after the decision, to show if it was
    /// late.
    pub deadlines: Option<Deadlines>,
    /// The one supplement notice that the law allows, if it was given (行政许可法 32-4).
    pub supplement: Option<Supplement>,
    pub state: State,
}

/// The state of a case, with the data of that state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// 已提交: waiting for acceptance.
    Submitted,
    /// 补正中: waiting for the applicant.
    SupplementNoticed,
    /// 已受理: waiting for the decision.
    Accepted { at: Instant, by: Actor },
    /// 准予.
    Granted(Decision),
    /// 不予.
    Denied(Decision),
    /// 已撤回.
    Withdrawn { at: Instant, reason: String },
}

impl State {
    /// The name of the state, as the database stores it and the API returns it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::SupplementNoticed => "supplement_noticed",
            Self::Accepted { .. } => "accepted",
            Self::Granted(_) => "granted",
            Self::Denied(_) => "denied",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

/// 决定: the decision that ended a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: Instant,
    pub by: Actor,
    /// The reasons. A denial must state them (行政许可法 38).
    pub reasons: String,
    /// `None` if the ruling is a denial.
    pub result: Option<ResultDocument>,
}

/// 结果: the document that the decision produces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultDocument {
    /// The kind of document, for example 居住证 (residence permit).
    pub title: String,
    /// The number of the document, if it has one.
    pub number: Option<String>,
}

/// An officer's ruling on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// 准予
    Grant {
        result: ResultDocument,
        /// The text can be empty, because a grant needs no reasons.
        reasons: String,
    },
    /// 不予
    Deny { reasons: String },
}

/// 补正告知: the supplement notice, which lists everything that is missing, and the applicant's answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    pub noticed_at: Instant,
    pub by: Actor,
    pub points: Vec<String>,
    /// The date by which the applicant should answer the notice. The agency sets this date. The law sets none, so a
    /// later answer still counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<NaiveDate>,
    pub answered_at: Option<Instant>,
}

/// 送达方式: how the result reaches the applicant. In addition, the applicant is always notified of the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Delivery {
    /// 电子送达
    Electronic,
    /// 快递送达. The address is stored encrypted with the case.
    Courier {
        /// The carrier, chosen when the case was opened: the first of the item's carriers that this installation had.
        carrier: CarrierCode,
    },
    /// 窗口领取
    Counter {
        /// The code of the hall.
        hall: String,
    },
}

/// An effect that must follow an act on a case, such as a notification. It is recorded in the same transaction that
/// saves the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owed {
    /// Notify the applicant.
    Notify(Event),
    /// Send the result by this carrier.
    Parcel(CarrierCode),
}

/// Why an act is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("not possible while the case is {0}")]
    WrongState(&'static str),
    /// 行政许可法 32-4: everything that is missing must be stated in one notice.
    #[error("the case already had a supplement notice")]
    NoticedBefore,
    /// 行政许可法 32-4: the notice must be given within five working days, or the case counts as accepted.
    #[error("the days for a supplement notice are over: the case counts as accepted")]
    NoticeTooLate,
    /// 行政许可法 38: a denial must state its reasons.
    #[error("a denial needs reasons")]
    NoReasons,
    #[error("a supplement notice needs at least one point")]
    NoPoints,
    /// The result cannot be sent again, because no parcel was sent or the last parcel has not failed. Contains the
    /// state of the last parcel, if there is one.
    #[error("no parcel of the case has failed: {0:?}")]
    NothingFailed(Option<ParcelState>),
}

type Step = Result<(Case, Vec<Owed>), Refusal>;

impl Case {
    /// 受理: the officer accepts the case. `deadlines` takes the day from which the case counts as accepted, and returns
    /// the deadlines that follow from it, or an error if they are unknown.
    pub fn accept<E: From<Refusal>>(
        self,
        by: Actor,
        deadlines: impl FnOnce(NaiveDate) -> Result<Deadlines, E>,
        now: Instant,
    ) -> Result<(Self, Vec<Owed>), E> {
        if self.state != State::Submitted {
            return Err(self.refuse().into());
        }
        let deadlines = deadlines(self.accepted_on(beijing_day(now)))?;
        let (state, due_on) = (State::Accepted { at: now, by }, Some(deadlines.due_on()));
        Ok((Self { state, due_on, deadlines: Some(deadlines), ..self }, vec![Owed::Notify(Event::Accepted)]))
    }

    /// 受理日: the day from which the law counts the case as accepted, if an officer accepts it today. After a supplement
    /// notice it is the day of the answer. If no notice was given in time, it is the day on which the application was
    /// submitted, even if the officer accepts the case later (行政许可法 32-4, 32-5).
    fn accepted_on(&self, today: NaiveDate) -> NaiveDate {
        match self.supplement.as_ref().and_then(|supplement| supplement.answered_at) {
            Some(answered_at) => beijing_day(answered_at),
            None if self.is_overdue(today) => beijing_day(self.submitted_at),
            None => today,
        }
    }

    fn is_overdue(&self, today: NaiveDate) -> bool {
        self.due_on.is_some_and(|due_on| due_on < today)
    }

    /// 补正告知: the officer states, in one notice, everything that is missing. The officer's period stops until the
    /// applicant answers.
    pub fn notice_supplement(self, points: Vec<String>, answer_by: NaiveDate, by: Actor, now: Instant) -> Step {
        match self.state {
            State::Submitted if self.supplement.is_some() => Err(Refusal::NoticedBefore),
            State::Submitted if self.is_overdue(beijing_day(now)) => Err(Refusal::NoticeTooLate),
            State::Submitted if points.is_empty() => Err(Refusal::NoPoints),
            State::Submitted => {
                let answer_by = Some(answer_by);
                let supplement = Some(Supplement { noticed_at: now, by, points, answer_by, answered_at: None });
                let case = Self { state: State::SupplementNoticed, supplement, due_on: None, ..self };
                Ok((case, vec![Owed::Notify(Event::SupplementNoticed)]))
            }
            _ => Err(self.refuse()),
        }
    }

    /// 补正: the applicant submits what was missing. The officer's period starts again.
    pub fn answer_supplement(self, acceptance_due_on: NaiveDate, now: Instant) -> Step {
        match (self.state, self.supplement) {
            (State::SupplementNoticed, Some(supplement)) => {
                let supplement = Some(Supplement { answered_at: Some(now), ..supplement });
                let due_on = Some(acceptance_due_on);
                Ok((Self { state: State::Submitted, supplement, due_on, ..self }, Vec::new()))
            }
            (state, _) => Err(Refusal::WrongState(state.as_str())),
        }
    }

    /// 决定: the officer grants or denies the application. The applicant is notified, and the result of a grant is sent
    /// if the applicant chose a courier. `complete` fills in deadlines that were unknown when the case was accepted.
    pub fn decide(
        self,
        ruling: Ruling,
        by: Actor,
        complete: impl FnOnce(Deadlines) -> Deadlines,
        now: Instant,
    ) -> Step {
        if !matches!(self.state, State::Accepted { .. }) {
            return Err(self.refuse());
        }
        Self { deadlines: self.deadlines.map(complete), ..self }.rule(ruling, by, now)
    }

    fn decided_on(&self) -> Option<NaiveDate> {
        match &self.state {
            State::Granted(decision) | State::Denied(decision) => Some(beijing_day(decision.at)),
            _ => None,
        }
    }

    /// The deadline that the decision missed. `None` if there is no decision yet, or if it was in time.
    pub fn missed(&self) -> Option<Missed> {
        self.deadlines?.missed_on(self.decided_on()?)
    }

    /// The date by which the result of the decision must have arrived (行政许可法 44), if it is known.
    pub fn serve_by(&self, calendar: &Calendar) -> Option<NaiveDate> {
        due::serve_by(self.decided_on()?, calendar)
    }

    /// Records a decision that another system made. This is possible in every open state of the case.
    pub fn take_over(self, ruling: Ruling, by: Actor, now: Instant) -> Step {
        if self.is_closed() { Err(self.refuse()) } else { self.rule(ruling, by, now) }
    }

    /// 重新寄送: the result is sent again, to a corrected address. `last` is the state of the last parcel, if there was
    /// one.
    pub fn send_again(self, last: Option<ParcelState>) -> Step {
        let State::Granted(_) = self.state else { return Err(self.refuse()) };
        match (&self.delivery, last) {
            (Delivery::Courier { carrier }, Some(last)) if last.has_failed() => {
                let owed = vec![Owed::Parcel(carrier.clone())];
                Ok((self, owed))
            }
            _ => Err(Refusal::NothingFailed(last)),
        }
    }

    /// 撤回: the applicant takes the application back.
    pub fn withdraw(self, reason: String, now: Instant) -> Step {
        if self.is_closed() {
            return Err(self.refuse());
        }
        Ok((Self { state: State::Withdrawn { at: now, reason }, due_on: None, ..self }, Vec::new()))
    }

    /// True if the case is decided or withdrawn. Its state then never changes again.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Granted(_) | State::Denied(_) | State::Withdrawn { .. })
    }

    fn rule(self, ruling: Ruling, by: Actor, now: Instant) -> Step {
        let (state, mut owed) = match ruling {
            Ruling::Grant { result, reasons } => {
                let decision = Decision { at: now, by, reasons, result: Some(result) };
                (State::Granted(decision), vec![Owed::Notify(Event::Granted)])
            }
            Ruling::Deny { reasons } if reasons.trim().is_empty() => return Err(Refusal::NoReasons),
            Ruling::Deny { reasons } => {
                (State::Denied(Decision { at: now, by, reasons, result: None }), vec![Owed::Notify(Event::Denied)])
            }
        };
        if let (State::Granted(_), Delivery::Courier { carrier }) = (&state, &self.delivery) {
            owed.push(Owed::Parcel(carrier.clone()));
        }
        Ok((Self { state, due_on: None, ..self }, owed))
    }

    const fn refuse(&self) -> Refusal {
        Refusal::WrongState(self.state.as_str())
    }
}

#[cfg(test)]
mod tests;
