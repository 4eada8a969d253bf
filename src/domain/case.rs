//! A case (办件): a submitted application and what becomes of it.
//!
//! Every act of an officer or an applicant is a method here that consumes the case and returns the new one with
//! what it owes. Nothing else changes a case.
//!
//! ```text
//! submitted ──accept──► accepted ──decide──► granted | denied
//!   │  ▲                   │
//!   │  └─answer────────┐   │
//!   ├─notice──► supplement_noticed
//!   └────────── withdraw ──┴──► withdrawn          (any time before the decision)
//! ```

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::case_number::CaseNumber;
use super::clock::Instant;
use super::ids::{CaseId, ClientId, OfficerId, PersonId};
use super::item::{AgencyCode, ItemCode};
use super::notification::Event;
use super::parcel::CarrierCode;

/// A case, without the application that it decides: that never changes and is kept sealed beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its number, for people.
    pub number: CaseNumber,
    /// Who applied.
    pub applicant: PersonId,
    /// For what.
    pub item: ItemCode,
    /// On which version of the item it was opened.
    pub item_version: i32,
    /// Which agency decides.
    pub agency: AgencyCode,
    /// How the result is to arrive.
    pub delivery: Delivery,
    /// When it was submitted.
    pub submitted_at: Instant,
    /// By when the officer owes the next act; nothing while the applicant is to move, or at the end.
    pub due_on: Option<NaiveDate>,
    /// The one supplement notice that the law allows, if it was given (行政许可法 32-4).
    pub supplement: Option<Supplement>,
    /// Where it stands.
    pub state: State,
}

/// Where a case stands, with what belongs to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// 已提交: waits for acceptance.
    Submitted,
    /// 补正中: waits for the applicant.
    SupplementNoticed,
    /// 已受理: waits for the decision.
    Accepted {
        /// When.
        at: Instant,
        /// By whom.
        by: Actor,
    },
    /// 准予.
    Granted(Decision),
    /// 不予.
    Denied(Decision),
    /// 已撤回.
    Withdrawn {
        /// When.
        at: Instant,
        /// Why, in the applicant's words.
        reason: String,
    },
}

impl State {
    /// As stored and as clients read it.
    #[must_use]
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

/// 决定: how a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Actor,
    /// Why. A denial must say it (行政许可法 38).
    pub reasons: String,
    /// What a grant produces.
    pub result: Option<ResultDocument>,
}

/// 结果: what the decision produces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultDocument {
    /// What it is: 居住证.
    pub title: String,
    /// Its number, where it has one.
    pub number: Option<String>,
}

/// What an officer decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// 准予
    Grant {
        /// What it produces.
        result: ResultDocument,
        /// Why, if there is something to say.
        reasons: String,
    },
    /// 不予
    Deny {
        /// Why.
        reasons: String,
    },
}

/// 补正告知: the one notice that lists everything that is missing, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// When.
    pub noticed_at: Instant,
    /// By whom.
    pub by: Actor,
    /// Everything that is missing.
    pub points: Vec<String>,
    /// When the applicant answered.
    pub answered_at: Option<Instant>,
}

/// 送达方式: how a result is to arrive. The push comes always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Delivery {
    /// 电子送达
    Electronic,
    /// 快递送达; the address is sealed with the case.
    Courier {
        /// The carrier that the item allows and this installation prefers, fixed at submission.
        carrier: CarrierCode,
    },
    /// 窗口领取
    Counter {
        /// At which hall.
        hall: String,
    },
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// The applicant.
    Person(PersonId),
    /// An officer.
    Officer(OfficerId),
    /// A system of the back office.
    Client(ClientId),
    /// A carrier.
    Carrier(CarrierCode),
    /// Songda itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Officer(id) => write!(f, "officer:{id}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Carrier(code) => write!(f, "carrier:{code}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// What a transition owes, to be promised in the transaction that saves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owed {
    /// Tell the applicant.
    Notify(Event),
    /// Send the result by this carrier.
    Parcel(CarrierCode),
}

/// Why an act is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The case is not in a state that allows it.
    #[error("not possible while the case is {0}")]
    WrongState(&'static str),
    /// 行政许可法 32-4: everything that is missing is told once.
    #[error("a supplement notice was given before")]
    NoticedBefore,
    /// 行政许可法 38: a denial says why.
    #[error("a denial needs reasons")]
    NoReasons,
    /// A notice lists what is missing.
    #[error("a supplement notice needs at least one point")]
    NoPoints,
}

type Step = Result<(Case, Vec<Owed>), Refusal>;

impl Case {
    /// 受理: the officer takes the case on; from now the decision is due.
    ///
    /// # Errors
    /// Unless the case waits for acceptance.
    pub fn accept(self, by: Actor, decision_due_on: NaiveDate, now: Instant) -> Step {
        match self.state {
            State::Submitted => {
                let state = State::Accepted { at: now, by };
                Ok((Self { state, due_on: Some(decision_due_on), ..self }, vec![Owed::Notify(Event::Accepted)]))
            }
            _ => Err(self.refuse()),
        }
    }

    /// 补正告知: the officer says, once, everything that is missing. The clock stops until the answer.
    ///
    /// # Errors
    /// Unless the case waits for acceptance and had no notice before; or when the notice lists nothing.
    pub fn notice_supplement(self, points: Vec<String>, by: Actor, now: Instant) -> Step {
        match self.state {
            State::Submitted if self.supplement.is_some() => Err(Refusal::NoticedBefore),
            State::Submitted if points.is_empty() => Err(Refusal::NoPoints),
            State::Submitted => {
                let supplement = Some(Supplement { noticed_at: now, by, points, answered_at: None });
                let case = Self { state: State::SupplementNoticed, supplement, due_on: None, ..self };
                Ok((case, vec![Owed::Notify(Event::SupplementNoticed)]))
            }
            _ => Err(self.refuse()),
        }
    }

    /// 补正: the applicant hands in what was missing; the officer's clock starts anew.
    ///
    /// # Errors
    /// Unless the case waits for it.
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

    /// 决定: the officer grants or denies. The applicant is told; what a grant produces goes on its way.
    ///
    /// # Errors
    /// Unless the case was accepted; or when a denial has no reasons.
    pub fn decide(self, ruling: Ruling, by: Actor, now: Instant) -> Step {
        if !matches!(self.state, State::Accepted { .. }) {
            return Err(self.refuse());
        }
        self.rule(ruling, by, now)
    }

    /// Takes over a decision that was made in another system, whatever this case waited for.
    ///
    /// # Errors
    /// When the case is decided or withdrawn already; or when a denial has no reasons.
    pub fn take_over(self, ruling: Ruling, by: Actor, now: Instant) -> Step {
        if self.is_closed() { Err(self.refuse()) } else { self.rule(ruling, by, now) }
    }

    /// 撤回: the applicant takes the application back.
    ///
    /// # Errors
    /// When the case is decided or withdrawn already.
    pub fn withdraw(self, reason: String, now: Instant) -> Step {
        if self.is_closed() {
            return Err(self.refuse());
        }
        Ok((Self { state: State::Withdrawn { at: now, reason }, due_on: None, ..self }, Vec::new()))
    }

    /// Whether nothing more can happen to it.
    #[must_use]
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
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
    }

    fn now() -> Instant {
        "2026-11-23T02:00:00Z".parse().unwrap()
    }

    fn officer() -> Actor {
        Actor::Officer(OfficerId::from_uuid(Uuid::from_u128(3)))
    }

    fn submitted(delivery: Delivery) -> Case {
        Case {
            id: CaseId::from_uuid(Uuid::from_u128(1)),
            number: CaseNumber::new(day(), 1),
            applicant: PersonId::from_uuid(Uuid::from_u128(2)),
            item: ItemCode::new("JT-0045"),
            item_version: 1,
            agency: AgencyCode::new("police"),
            delivery,
            submitted_at: now(),
            due_on: Some(day()),
            supplement: None,
            state: State::Submitted,
        }
    }

    fn grant() -> Ruling {
        Ruling::Grant { result: ResultDocument { title: "居住证".into(), number: None }, reasons: String::new() }
    }

    #[test]
    fn a_grant_by_courier_owes_a_push_and_a_parcel() {
        let ems = CarrierCode::new("ems");
        let case = submitted(Delivery::Courier { carrier: ems.clone() });
        let (case, _) = case.accept(officer(), day(), now()).unwrap();
        let (case, owed) = case.decide(grant(), officer(), now()).unwrap();
        assert_eq!(owed, [Owed::Notify(Event::Granted), Owed::Parcel(ems)]);
        assert_eq!(case.state.as_str(), "granted");
        assert_eq!(case.due_on, None);
    }

    #[test]
    fn a_denial_needs_reasons_and_sends_no_parcel() {
        let case = submitted(Delivery::Courier { carrier: CarrierCode::new("ems") });
        let (case, _) = case.accept(officer(), day(), now()).unwrap();
        let without = case.clone().decide(Ruling::Deny { reasons: " ".into() }, officer(), now());
        assert_eq!(without.unwrap_err(), Refusal::NoReasons);
        let (_, owed) = case.decide(Ruling::Deny { reasons: "材料不实".into() }, officer(), now()).unwrap();
        assert_eq!(owed, [Owed::Notify(Event::Denied)]);
    }

    #[test]
    fn everything_missing_is_told_once() {
        let notice = |case: Case| case.notice_supplement(vec!["照片".into()], officer(), now());
        let (case, owed) = notice(submitted(Delivery::Electronic)).unwrap();
        assert_eq!((owed, case.due_on), (vec![Owed::Notify(Event::SupplementNoticed)], None));
        let (case, _) = case.answer_supplement(day(), now()).unwrap();
        assert_eq!(notice(case).unwrap_err(), Refusal::NoticedBefore);
    }

    #[derive(Debug, Clone, Copy)]
    enum Act {
        Accept,
        Notice,
        Answer,
        Grant,
        Deny,
        Withdraw,
    }

    fn act(case: Case, act: Act) -> Step {
        match act {
            Act::Accept => case.accept(officer(), day(), now()),
            Act::Notice => case.notice_supplement(vec!["x".into()], officer(), now()),
            Act::Answer => case.answer_supplement(day(), now()),
            Act::Grant => case.decide(grant(), officer(), now()),
            Act::Deny => case.decide(Ruling::Deny { reasons: "y".into() }, officer(), now()),
            Act::Withdraw => case.withdraw(String::new(), now()),
        }
    }

    proptest! {
        #[test]
        fn a_case_is_decided_once_and_closes_for_good(acts in proptest::collection::vec(prop_oneof![
            Just(Act::Accept), Just(Act::Notice), Just(Act::Answer), Just(Act::Grant), Just(Act::Deny), Just(Act::Withdraw),
        ], 0..12)) {
            let mut case = submitted(Delivery::Electronic);
            let (mut decisions, mut notices) = (0, 0);
            for next in acts {
                let closed = case.is_closed();
                match act(case.clone(), next) {
                    Ok((new, owed)) => {
                        prop_assert!(!closed, "nothing follows the end");
                        decisions += owed.iter().filter(|owed| matches!(owed, Owed::Notify(Event::Granted | Event::Denied))).count();
                        notices += owed.iter().filter(|owed| **owed == Owed::Notify(Event::SupplementNoticed)).count();
                        let waits_for_officer = matches!(new.state, State::Submitted | State::Accepted { .. });
                        prop_assert_eq!(new.due_on.is_some(), waits_for_officer, "due exactly while the officer is to act");
                        case = new;
                    }
                    Err(refusal) => prop_assert!(closed || refusal != Refusal::NoReasons),
                }
            }
            prop_assert!(decisions <= 1 && notices <= 1);
        }
    }
}
