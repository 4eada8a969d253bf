//! When an officer must be done: an item has a promised period (承诺时限) and often a legal one (法定时限), each in
//! working days or in natural days.
//!
//! The two are compared as dates, never as numbers: around the long holidays a promise of two working days ends
//! after a legal period of seven natural days. The earlier date is the one that is due.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::calendar::{Calendar, UnknownYear};

/// In what a period is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayUnit {
    /// 工作日
    Workday,
    /// 自然日
    Day,
}

/// A period. 0 days means at once (即办).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    /// How many.
    pub days: u32,
    /// Of what.
    pub unit: DayUnit,
}

impl TimeLimit {
    /// The last day of the period that an event starts. The event's own day is not counted.
    ///
    /// # Errors
    /// When the way there leads into a year whose working days are not announced.
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

/// The days by which a decision is promised and owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// 承诺办结日
    pub promised_on: NaiveDate,
    /// 法定办结日, where the law sets a period.
    pub legal_on: Option<NaiveDate>,
}

impl Deadlines {
    /// The deadlines that an event (as a rule, the acceptance) starts.
    ///
    /// # Errors
    /// When the way there leads into a year whose working days are not announced.
    pub fn after(
        event: NaiveDate,
        promised: TimeLimit,
        legal: Option<TimeLimit>,
        calendar: &Calendar,
    ) -> Result<Self, UnknownYear> {
        Ok(Self {
            promised_on: promised.ends_on(event, calendar)?,
            legal_on: legal.map(|limit| limit.ends_on(event, calendar)).transpose()?,
        })
    }

    /// The officer's due date: the earlier of the two.
    #[must_use]
    pub fn due_on(self) -> NaiveDate {
        self.legal_on.map_or(self.promised_on, |legal| legal.min(self.promised_on))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::calendar::tests::{announced, day};

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
    fn the_promise_is_due_where_the_law_is_silent_or_later() {
        let calendar = announced();
        let silent = Deadlines::after(day("2026-02-12"), workdays(5), None, &calendar).unwrap();
        assert_eq!(silent.due_on(), day("2026-02-26"));
        let later = Deadlines::after(day("2026-02-12"), workdays(5), Some(workdays(20)), &calendar).unwrap();
        assert_eq!(later.due_on(), day("2026-02-26"));
    }

    #[test]
    fn at_once_is_today_or_the_first_day_that_is_worked() {
        let calendar = announced();
        assert_eq!(workdays(0).ends_on(day("2026-09-30"), &calendar), Ok(day("2026-09-30")));
        assert_eq!(workdays(0).ends_on(day("2026-10-01"), &calendar), Ok(day("2026-10-08")));
    }

    #[test]
    fn an_unknown_year_is_never_guessed() {
        let calendar = announced();
        assert_eq!(natural(30).ends_on(day("2026-12-15"), &calendar), Err(UnknownYear(2027)));
        assert!(natural(u32::MAX).ends_on(day("2026-12-15"), &calendar).is_err());
    }

    proptest! {
        #[test]
        fn what_is_due_is_worked_and_not_later_than_either(offset in 0_u64..500, promise in 0_u32..30, law in 0_u32..60) {
            let calendar = announced();
            let event = day("2025-01-01") + Days::new(offset);
            let deadlines = Deadlines::after(event, workdays(promise), Some(natural(law)), &calendar).unwrap();
            prop_assert!(calendar.is_working_day(deadlines.due_on()).unwrap());
            prop_assert!(deadlines.due_on() <= deadlines.promised_on);
            prop_assert!(Some(deadlines.due_on()) <= deadlines.legal_on);
        }
    }
}
