//! Tests of a case as a state machine.

use chrono::{Days, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::item::calendar::tests::announced;
use crate::domain::item::due::{DayUnit, NOTICE_WITHIN, TimeLimit};
use crate::domain::kernel::ids::OfficerId;

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
        deadlines: None,
        supplement: None,
        state: State::Submitted,
    }
}

fn grant() -> Ruling {
    Ruling::Grant { result: ResultDocument { title: "居住证".into(), number: None }, reasons: String::new() }
}

/// Deadlines of an item with a promised period of twenty working days, by the catalogue's calendar.
fn deadlines(accepted_on: NaiveDate) -> Result<Deadlines, Refusal> {
    let days = TimeLimit { days: 20, unit: DayUnit::Workday };
    Ok(Deadlines::after(accepted_on, days, None, &announced()).unwrap())
}

fn accept(case: Case, now: Instant) -> Step {
    case.accept(officer(), deadlines, now)
}

fn decide(case: Case, ruling: Ruling) -> Step {
    case.decide(ruling, officer(), |deadlines| deadlines, now())
}

fn notice(case: Case, now: Instant) -> Step {
    case.notice_supplement(vec!["照片".into()], day(), officer(), now)
}

#[test]
fn a_grant_by_courier_owes_a_push_and_a_parcel() {
    let ems = CarrierCode::new("ems");
    let case = submitted(Delivery::Courier { carrier: ems.clone() });
    let (case, _) = accept(case, now()).unwrap();
    let (case, owed) = decide(case, grant()).unwrap();
    assert_eq!(owed, [Owed::Notify(Event::Granted), Owed::Parcel(ems)]);
    assert_eq!(case.state.as_str(), "granted");
    assert_eq!(case.due_on, None);
}

#[test]
fn a_denial_needs_reasons_and_sends_no_parcel() {
    let case = submitted(Delivery::Courier { carrier: CarrierCode::new("ems") });
    let (case, _) = accept(case, now()).unwrap();
    let without = decide(case.clone(), Ruling::Deny { reasons: " ".into() });
    assert_eq!(without.unwrap_err(), Refusal::NoReasons);
    let (_, owed) = decide(case, Ruling::Deny { reasons: "材料不实".into() }).unwrap();
    assert_eq!(owed, [Owed::Notify(Event::Denied)]);
}

#[test]
fn only_one_supplement_notice_can_be_given() {
    let (case, owed) = notice(submitted(Delivery::Electronic), now()).unwrap();
    assert_eq!((owed, case.due_on), (vec![Owed::Notify(Event::SupplementNoticed)], None));
    let (case, _) = case.answer_supplement(day(), now()).unwrap();
    assert_eq!(notice(case, now()).unwrap_err(), Refusal::NoticedBefore);
}

/// Ten in the morning in Beijing, `days` days after 2026-01-01.
fn morning(days: u64) -> Instant {
    Instant::default() + TimeDelta::days(20_454) + TimeDelta::hours(2) + Days::new(days)
}

/// A case that was received at `at`. Its officer must act within five working days.
fn received(at: Instant) -> Case {
    let due_on = announced().add_working_days(beijing_day(at), NOTICE_WITHIN).ok();
    Case { submitted_at: at, due_on, ..submitted(Delivery::Electronic) }
}

proptest! {
    #[test]
    fn without_a_notice_in_time_a_case_counts_as_accepted_from_receipt(receipt in 0_u64..310, wait in 0_u64..30) {
        let (received_at, now) = (morning(receipt), morning(receipt + wait));
        let (received_on, today, calendar) = (beijing_day(received_at), beijing_day(now), announced());
        let in_time = today <= calendar.add_working_days(received_on, NOTICE_WITHIN).unwrap();
        let case = received(received_at);
        prop_assert_eq!(notice(case.clone(), now).map(|_| ()), if in_time { Ok(()) } else { Err(Refusal::NoticeTooLate) });
        let (case, _) = accept(case, now).unwrap();
        let accepted_on = if in_time { today } else { received_on };
        prop_assert_eq!(case.deadlines, Some(deadlines(accepted_on).unwrap()));
        prop_assert_eq!(case.due_on, Some(calendar.add_working_days(accepted_on, 20).unwrap()));
    }

    #[test]
    fn after_a_notice_deadlines_count_from_the_answer(receipt in 0_u64..250, answer in 0_u64..40, wait in 0_u64..40) {
        let (answered_at, now) = (morning(receipt + answer), morning(receipt + answer + wait));
        let received_at = morning(receipt);
        let (case, _) = notice(received(received_at), received_at).unwrap();
        let again_by = announced().add_working_days(beijing_day(answered_at), NOTICE_WITHIN).unwrap();
        let (case, _) = case.answer_supplement(again_by, answered_at).unwrap();
        let (case, _) = accept(case, now).unwrap();
        prop_assert_eq!(case.deadlines, Some(deadlines(beijing_day(answered_at)).unwrap()));
    }
}

#[test]
fn the_last_day_for_a_notice_ends_at_midnight_in_beijing() {
    let notice = |case, now: &str| notice(case, now.parse().unwrap());
    // The fifth working day after Friday 2026-09-18 is Thursday 09-24, because Sunday 09-20 is a working day.
    let case = received("2026-09-18T02:00:00Z".parse().unwrap());
    assert_eq!(case.due_on, NaiveDate::from_ymd_opt(2026, 9, 24));
    assert!(notice(case.clone(), "2026-09-24T15:59:59Z").is_ok());
    assert_eq!(notice(case, "2026-09-24T16:00:00Z").unwrap_err(), Refusal::NoticeTooLate);
}

#[test]
fn a_missed_deadline_is_recorded_permanently() {
    let at = |text: &str| -> Instant { text.parse().unwrap() };
    let (case, _) = accept(received(at("2026-02-12T02:00:00Z")), at("2026-02-12T03:00:00Z")).unwrap();
    let decide = |text| case.clone().decide(grant(), officer(), |deadlines| deadlines, at(text)).unwrap().0;
    let (kept, missed) = (decide("2026-03-18T15:59:59Z"), decide("2026-03-18T16:00:00Z"));
    assert_eq!((kept.missed(), missed.missed()), (None, Some(Missed::Promise)));
    assert_eq!((missed.due_on, missed.deadlines), (None, case.deadlines), "no act is due, and the deadlines are kept");
}

proptest! {
    #[test]
    fn only_a_granted_result_whose_parcel_failed_is_sent_again(
        way in 0..3_usize,
        end in 0..4_usize,
        last in proptest::option::of(0..ParcelState::ALL.len()),
    ) {
        let ems = CarrierCode::new("ems");
        let courier = Delivery::Courier { carrier: ems.clone() };
        let ways = [courier.clone(), Delivery::Electronic, Delivery::Counter { hall: "town".into() }];
        let accepted = accept(submitted(ways[way].clone()), now()).unwrap().0;
        let case = match end {
            0 => decide(accepted, grant()).unwrap().0,
            1 => decide(accepted, Ruling::Deny { reasons: "y".into() }).unwrap().0,
            2 => accepted.withdraw(String::new(), now()).unwrap().0,
            _ => accepted,
        };
        let last = last.map(|at| ParcelState::ALL[at]);
        let sent = case.clone().send_again(last);
        if end != 0 {
            prop_assert_eq!(sent, Err(Refusal::WrongState(case.state.as_str())));
        } else if case.delivery == courier && last.is_some_and(ParcelState::has_failed) {
            prop_assert_eq!(sent.unwrap(), (case.clone(), vec![Owed::Parcel(ems)]));
            let again = case.send_again(Some(ParcelState::Pending));
            prop_assert!(again.is_err(), "the second parcel has not failed");
        } else {
            prop_assert_eq!(sent, Err(Refusal::NothingFailed(last)));
        }
    }
}

const ACTS: [fn(Case) -> Step; 6] = [
    |case| accept(case, now()),
    |case| case.notice_supplement(vec!["x".into()], day(), officer(), now()),
    |case| case.answer_supplement(day(), now()),
    |case| decide(case, grant()),
    |case| decide(case, Ruling::Deny { reasons: "y".into() }),
    |case| case.withdraw(String::new(), now()),
];

proptest! {
    #[test]
    fn a_case_is_decided_at_most_once_and_never_reopens(acts in proptest::collection::vec(0..ACTS.len(), 0..12)) {
        let mut case = submitted(Delivery::Electronic);
        let (mut decisions, mut notices) = (0, 0);
        for next in acts {
            let closed = case.is_closed();
            match ACTS[next](case.clone()) {
                Ok((new, owed)) => {
                    prop_assert!(!closed, "no act is possible on a closed case");
                    let is_decision = |owed: &&Owed| matches!(owed, Owed::Notify(Event::Granted | Event::Denied));
                    decisions += owed.iter().filter(is_decision).count();
                    notices += owed.iter().filter(|owed| **owed == Owed::Notify(Event::SupplementNoticed)).count();
                    let waits_for_officer = matches!(new.state, State::Submitted | State::Accepted { .. });
                    prop_assert_eq!(new.due_on.is_some(), waits_for_officer, "due only while the officer owes an act");
                    case = new;
                }
                Err(refusal) => prop_assert!(closed || refusal != Refusal::NoReasons),
            }
        }
        prop_assert!(decisions <= 1 && notices <= 1);
    }
}
