//! Due dates of officers. An item has a promised period (承诺时限) and often a legal one (法定时限), each in working days or in
//! natural days.
//!
//! The due date is the earlier of the days on which the two periods end. The numbers of days alone do not show which
//! day is earlier: around the long holidays a promise of two working days can end after a legal period of seven
//! natural days.

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::item::calendar::{Calendar, UnknownYear};

/// 行政许可法 32-4: an officer can give a supplement notice within this number of working days after the application was
/// submitted.
pub const NOTICE_WITHIN: u32 = 5;

/// 行政许可法 44: the result must be delivered to the applicant within this number of working days after the decision.
const SERVE_WITHIN: u32 = 10;

/// 送达期限: the date by which the result of a decision must have arrived. The officers' list of parcels is sorted by this
/// date, and no rule depends on it. `None` if the count reaches a year whose working days are not announced.
pub fn serve_by(decided_on: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
    calendar.add_working_days(decided_on, SERVE_WITHIN).ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayUnit {
    /// 工作日
    Workday,
    /// 自然日
    Day,
}

/// A time limit for deciding a case. 0 days means at once (即办).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    pub days: u32,
    pub unit: DayUnit,
}

impl TimeLimit {
    /// Returns the last day of the period, which starts after the day of `event`.
    pub fn ends_on(self, event: NaiveDate, calendar: &Calendar) -> Result<NaiveDate, UnknownYear> {
        match self.unit {
            DayUnit::Workday => calendar.add_working_days(event, self.days),
            DayUnit::Day => {
                let last = event.checked_add_days(Days::new(self.days.into()));
                calendar.roll_forward(last.unwrap_or(NaiveDate::MAX))
            }
        }
    }
}

/// The promised and the legal deadline of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// 受理日: both periods start after this day. The day itself is not counted.
    pub accepted_on: NaiveDate,
    /// 承诺办结日
    pub promised_on: NaiveDate,
    /// 法定办结日: the legal date. `None` if the law sets no period. Also `None` while the legal date is certainly later
    /// than `promised_on`, but is unknown because the working days of its year are not announced.
    pub legal_on: Option<NaiveDate>,
}

/// The deadline that a decision missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Only the promised date was missed. The legal date was met, is unknown, or does not exist.
    Promise,
    Law,
}

impl Deadlines {
    /// The deadlines of a case that counts as accepted on the day `accepted_on`. Fails if the promised period reaches a
    /// year whose working days are not announced. Fails also if the legal period reaches such a year and may end before
    /// the promised one.
    pub fn after(
        accepted_on: NaiveDate,
        promised: TimeLimit,
        legal: Option<TimeLimit>,
        calendar: &Calendar,
    ) -> Result<Self, UnknownYear> {
        let promised_on = promised.ends_on(accepted_on, calendar)?;
        let legal_on = match legal.map(|limit| limit.ends_on(accepted_on, calendar)).transpose() {
            // The legal period ends in `year` or later, so after the promised date. The promised date is then the
            // deadline.
            Err(UnknownYear(year)) if promised_on.year() < year => None,
            known => known?,
        };
        Ok(Self { accepted_on, promised_on, legal_on })
    }

    pub fn due_on(self) -> NaiveDate {
        self.legal_on.map_or(self.promised_on, |legal| legal.min(self.promised_on))
    }

    /// Adds the legal date, if it was unknown at first and is known now.
    #[must_use]
    pub fn completed(self, legal: Option<TimeLimit>, calendar: &Calendar) -> Self {
        let known = || legal.and_then(|limit| limit.ends_on(self.accepted_on, calendar).ok());
        Self { legal_on: self.legal_on.or_else(known), ..self }
    }

    /// The deadline that a decision on this day misses, if any.
    pub fn missed_on(self, day: NaiveDate) -> Option<Missed> {
        let broken = self.legal_on.is_some_and(|legal| legal < day).then_some(Missed::Law);
        broken.or_else(|| (self.promised_on < day).then_some(Missed::Promise))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::item::calendar::CalendarYear;
    use crate::domain::item::calendar::tests::{announced, day};

    const fn workdays(days: u32) -> TimeLimit {
        TimeLimit { days, unit: DayUnit::Workday }
    }

    const fn natural(days: u32) -> TimeLimit {
        TimeLimit { days, unit: DayUnit::Day }
    }

    #[test]
    fn a_promise_in_working_days_can_outlast_a_legal_period_in_natural_days() {
        let deadlines = Deadlines::after(day("2026-09-30"), workdays(2), Some(natural(7)), &announced()).unwrap();
        assert_eq!(deadlines.promised_on, day("2026-10-09"));
        assert_eq!(deadlines.legal_on, Some(day("2026-10-08")), "10-07 is a day of rest");
        assert_eq!(deadlines.due_on(), day("2026-10-08"));
    }

    #[test]
    fn the_promise_is_due_if_the_law_sets_no_period_or_a_later_one() {
        let calendar = announced();
        let silent = Deadlines::after(day("2026-02-12"), workdays(5), None, &calendar).unwrap();
        assert_eq!(silent.due_on(), day("2026-02-26"));
        let later = Deadlines::after(day("2026-02-12"), workdays(5), Some(workdays(20)), &calendar).unwrap();
        assert_eq!(later.due_on(), day("2026-02-26"));
    }

    #[test]
    fn at_once_means_today_or_the_next_working_day() {
        let calendar = announced();
        assert_eq!(workdays(0).ends_on(day("2026-09-30"), &calendar), Ok(day("2026-09-30")));
        assert_eq!(workdays(0).ends_on(day("2026-10-01"), &calendar), Ok(day("2026-10-08")));
    }

    #[test]
    fn a_promise_that_ends_before_an_unknown_year_does_not_need_its_calendar() {
        let (calendar, accepted) = (announced(), day("2026-11-25"));
        let natural_law = Deadlines::after(accepted, workdays(20), Some(natural(60)), &calendar).unwrap();
        let working_law = Deadlines::after(accepted, workdays(1), Some(workdays(30)), &calendar).unwrap();
        assert_eq!((natural_law.due_on(), natural_law.legal_on), (day("2026-12-23"), None));
        assert_eq!((working_law.due_on(), working_law.legal_on), (day("2026-11-26"), None));
        let mut gap = announced();
        gap.rehearse(2028..=2028);
        let unsure = Deadlines::after(accepted, natural(500), Some(workdays(30)), &gap);
        assert_eq!(unsure, Err(UnknownYear(2027)), "the legal period may end before the promise");

        let mut next_year = announced();
        next_year.rehearse(2027..=2027);
        let completed = natural_law.completed(Some(natural(60)), &next_year);
        assert_eq!(completed.legal_on, Some(day("2027-01-25")), "01-24 is a Sunday");
        assert_eq!(completed.completed(Some(natural(90)), &next_year), completed, "a known date does not change");
    }

    #[test]
    fn a_missed_legal_date_outranks_a_missed_promise() {
        let both = Deadlines::after(day("2026-02-12"), workdays(5), Some(workdays(20)), &announced()).unwrap();
        assert_eq!(both.missed_on(day("2026-02-26")), None, "the last day is in time");
        assert_eq!(both.missed_on(day("2026-02-27")), Some(Missed::Promise));
        assert_eq!(both.missed_on(day("2026-03-18")), Some(Missed::Promise));
        assert_eq!(both.missed_on(day("2026-03-19")), Some(Missed::Law));
        let law_first = Deadlines::after(day("2026-09-30"), workdays(2), Some(natural(7)), &announced()).unwrap();
        assert_eq!(law_first.missed_on(day("2026-10-09")), Some(Missed::Law), "although the promise is kept");
    }

    #[test]
    fn the_service_date_is_none_if_its_year_is_unknown() {
        let serve_by = |decided_on| serve_by(day(decided_on), &announced());
        assert_eq!(serve_by("2026-09-30"), Some(day("2026-10-20")));
        assert_eq!(serve_by("2026-12-17"), Some(day("2026-12-31")));
        assert_eq!((serve_by("2026-12-18"), serve_by("2024-12-31")), (None, Some(day("2025-01-15"))));
        assert_eq!(serve_by("2024-12-30"), None);
    }

    #[test]
    fn a_period_that_reaches_an_unknown_year_is_an_error() {
        let calendar = announced();
        assert_eq!(natural(30).ends_on(day("2026-12-15"), &calendar), Err(UnknownYear(2027)));
        assert!(natural(u32::MAX).ends_on(day("2026-12-15"), &calendar).is_err());
    }

    proptest! {
        #[test]
        fn a_due_date_is_worked_and_exceeds_no_deadline(offset in 0_u64..500, promise in 0_u32..30, law in 0_u32..60) {
            let calendar = announced();
            let event = day("2025-01-01") + Days::new(offset);
            let deadlines = Deadlines::after(event, workdays(promise), Some(natural(law)), &calendar).unwrap();
            prop_assert!(calendar.is_working_day(deadlines.due_on()).unwrap());
            prop_assert!(deadlines.due_on() <= deadlines.promised_on);
            prop_assert!(Some(deadlines.due_on()) <= deadlines.legal_on);
        }

        #[test]
        fn later_announcements_do_not_change_a_due_date(
            offset in 300_u64..730,
            promise in (0_u32..40, any::<bool>()),
            law in proptest::option::of((0_u32..90, any::<bool>())),
            holiday in (0_u64..60, 0_u64..30),
        ) {
            let limit = |(days, worked)| if worked { workdays(days) } else { natural(days) };
            let (accepted, promise, law) = (day("2025-01-01") + Days::new(offset), limit(promise), law.map(limit));
            let Ok(deadlines) = Deadlines::after(accepted, promise, law, &announced()) else { return Ok(()) };
            let first = day("2027-01-01") + Days::new(holiday.0);
            let next = CalendarYear {
                year: 2027,
                notice: String::new(),
                holidays: vec![(first, first + Days::new(holiday.1))],
                workdays: Vec::new(),
            };
            let mut years: Vec<CalendarYear> = announced().into();
            years.push(next);
            let later = Deadlines::after(accepted, promise, law, &years.into()).unwrap();
            prop_assert_eq!(later.due_on(), deadlines.due_on());
            prop_assert!(deadlines.legal_on.is_none() || deadlines.legal_on == later.legal_on);
        }
    }
}
