//! Working days (工作日). Each November the General Office of the State Council (国务院办公厅) announces, for the next
//! year, blocks of days off and the Saturdays and Sundays that are worked instead. Otherwise offices work from Monday
//! to Friday.
//!
//! A year without an announcement is an error and is never guessed. A legal due date computed from Monday to Friday
//! would be wrong around every festival, without any sign of the error.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the working days of {0} are not announced")]
pub struct UnknownYear(pub i32);

/// The announcement of one year's days off and worked weekends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    pub year: i32,
    /// The title and the date of the announcement (国务院办公厅通知).
    pub notice: String,
    /// Days off: first and last day of each block (放假).
    pub holidays: Vec<(NaiveDate, NaiveDate)>,
    /// Saturdays and Sundays that are worked (上班).
    pub workdays: Vec<NaiveDate>,
}

/// The `notice` of a year that [`Calendar::rehearse`] invented.
const REHEARSAL: &str = "排演用，未经公布 (for a rehearsal, not announced)";

impl CalendarYear {
    pub fn is_made_up(&self) -> bool {
        self.notice == REHEARSAL
    }
}

/// The announced years. A method that needs a year without an announcement returns [`UnknownYear`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<CalendarYear>", into = "Vec<CalendarYear>")]
pub struct Calendar {
    years: BTreeMap<i32, CalendarYear>,
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// True if offices are open on the day.
    pub fn is_working_day(&self, day: NaiveDate) -> Result<bool, UnknownYear> {
        if !self.years.contains_key(&day.year()) {
            return Err(UnknownYear(day.year()));
        }
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        Ok(self.worked.contains(&day) || !(weekend || self.off.contains(&day)))
    }

    /// The `count`-th working day after an event. The day of the event is not counted (民法典 art. 201). A count of 0
    /// gives the day of the event if it is a working day, or else the first working day after it.
    pub fn add_working_days(&self, event: NaiveDate, count: u32) -> Result<NaiveDate, UnknownYear> {
        if count == 0 {
            return self.roll_forward(event);
        }
        let mut day = event;
        let mut left = count;
        while left > 0 {
            day = next(day)?;
            left -= u32::from(self.is_working_day(day)?);
        }
        Ok(day)
    }

    /// The day itself if it is a working day, or else the first working day after it. If the last day of a period in
    /// natural days is a day of rest, the period ends on the returned day (民法典 art. 203).
    pub fn roll_forward(&self, mut day: NaiveDate) -> Result<NaiveDate, UnknownYear> {
        while !self.is_working_day(day)? {
            day = next(day)?;
        }
        Ok(day)
    }

    pub fn working_days_in(&self, year: i32) -> Result<u32, UnknownYear> {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).ok_or(UnknownYear(year))?;
        let mut count = 0;
        for day in first.iter_days().take_while(|day| day.year() == year) {
            count += u32::from(self.is_working_day(day)?);
        }
        Ok(count)
    }

    pub fn years(&self) -> impl Iterator<Item = &CalendarYear> {
        self.years.values()
    }

    /// Invents announcements for the years that have none, with work from Monday to Friday, so that demonstrations and
    /// tests run on any day. Returns the invented years.
    #[cfg(feature = "development")]
    pub fn rehearse(&mut self, years: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let unknown: Vec<i32> = years.into_iter().filter(|year| !self.years.contains_key(year)).collect();
        for &year in &unknown {
            let notice = REHEARSAL.to_owned();
            self.years.insert(year, CalendarYear { year, notice, holidays: Vec::new(), workdays: Vec::new() });
        }
        unknown
    }

    /// Checks one year's announcement, and returns its faults as messages for people.
    pub fn faults(announced: &CalendarYear) -> Vec<String> {
        let mut faults = Vec::new();
        let mut off = BTreeSet::new();
        for (first, last) in &announced.holidays {
            if first > last {
                faults.push(format!("the block {first} to {last} ends before it begins"));
            }
            off.extend(block(*first, *last));
        }
        for day in off.iter().chain(&announced.workdays) {
            if day.year() != announced.year {
                faults.push(format!("{day} is not in {}", announced.year));
            }
        }
        for day in &announced.workdays {
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                faults.push(format!("{day} is no Saturday or Sunday, so it is worked anyway"));
            }
            if off.contains(day) {
                faults.push(format!("{day} is both off and worked"));
            }
        }
        faults
    }
}

impl From<Vec<CalendarYear>> for Calendar {
    fn from(announced: Vec<CalendarYear>) -> Self {
        let mut calendar = Self::default();
        for year in announced {
            calendar.off.extend(year.holidays.iter().flat_map(|(first, last)| block(*first, *last)));
            calendar.worked.extend(&year.workdays);
            calendar.years.insert(year.year, year);
        }
        calendar
    }
}

impl From<Calendar> for Vec<CalendarYear> {
    fn from(calendar: Calendar) -> Self {
        calendar.years.into_values().collect()
    }
}

fn block(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

fn next(day: NaiveDate) -> Result<NaiveDate, UnknownYear> {
    day.checked_add_days(Days::new(1)).ok_or(UnknownYear(day.year()))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The announcements for 2025 and 2026 from the catalogue. Later years are left out, so that they cannot change the
    /// tests.
    pub(crate) fn announced() -> Calendar {
        let text = include_str!("../../../catalog/calendar.toml");
        let mut file: BTreeMap<String, Vec<CalendarYear>> = toml::from_str(text).unwrap();
        let mut years = file.remove("years").unwrap();
        years.retain(|year| year.year <= 2026);
        assert!(years.iter().all(|year| Calendar::faults(year).is_empty()));
        years.into()
    }

    #[test]
    fn working_days_are_counted_as_announced() {
        let calendar = announced();
        for (event, count, due) in [
            ("2026-02-12", 5, "2026-02-26"),
            ("2026-02-12", 20, "2026-03-18"),
            ("2026-09-18", 5, "2026-09-24"), // Sunday 09-20 is a working day
            ("2026-09-30", 10, "2026-10-20"),
            ("2025-09-26", 5, "2025-10-10"),
            ("2025-09-30", 10, "2025-10-21"),
            ("2025-01-24", 3, "2025-02-05"), // Sunday 01-26 is a working day
            ("2026-04-30", 5, "2026-05-11"),
            ("2025-12-31", 3, "2026-01-06"), // Sunday 01-04 is a working day
        ] {
            assert_eq!(calendar.add_working_days(day(event), count), Ok(day(due)), "{event} + {count}");
        }
    }

    #[test]
    fn years_and_months_have_the_known_numbers_of_working_days() {
        let calendar = announced();
        assert_eq!(calendar.working_days_in(2025), Ok(248));
        assert_eq!(calendar.working_days_in(2026), Ok(248));
        let worked = |month| {
            let days = day("2026-01-01").iter_days().take_while(|day| day.year() == 2026);
            days.filter(|day| day.month() == month && calendar.is_working_day(*day).unwrap()).count()
        };
        let by_month: Vec<usize> = (1..=12).map(worked).collect();
        assert_eq!(by_month, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]);
    }

    #[test]
    fn an_unknown_year_is_an_error() {
        let calendar = announced();
        assert_eq!(calendar.is_working_day(day("2027-01-04")), Err(UnknownYear(2027)));
        assert_eq!(calendar.add_working_days(day("2026-12-28"), 10), Err(UnknownYear(2027)));
        assert_eq!(calendar.working_days_in(2024), Err(UnknownYear(2024)));
    }

    #[test]
    fn a_rehearsal_invents_only_years_that_are_not_announced() {
        let mut calendar = announced();
        assert_eq!(calendar.rehearse(2026..=2027), [2027]);
        assert_eq!(calendar.is_working_day(day("2027-01-04")), Ok(true));
        assert_eq!(calendar.working_days_in(2026), Ok(248));
        assert_eq!(calendar.is_working_day(day("2028-01-04")), Err(UnknownYear(2028)));
    }

    #[test]
    fn faults_in_an_announcement_are_reported() {
        let slips = CalendarYear {
            year: 2026,
            notice: String::new(),
            holidays: vec![(day("2026-05-05"), day("2026-05-01")), (day("2026-10-03"), day("2026-10-04"))],
            workdays: vec![day("2026-10-04"), day("2026-10-12"), day("2025-10-11")],
        };
        assert_eq!(Calendar::faults(&slips).len(), 4, "{:?}", Calendar::faults(&slips));
    }

    proptest! {
        #[test]
        fn a_count_ends_on_a_working_day_and_larger_counts_end_later(offset in 0_u64..600, count in 0_u32..40) {
            let calendar = announced();
            let event = day("2025-01-01") + Days::new(offset);
            let due = calendar.add_working_days(event, count).unwrap();
            prop_assert!(calendar.is_working_day(due).unwrap());
            prop_assert!(due >= event);
            prop_assert!(calendar.add_working_days(event, count + 1).unwrap() > due || count == 0);
            let steps = event.iter_days().skip(1).take_while(|day| *day <= due);
            let worked = steps.filter(|day| calendar.is_working_day(*day).unwrap()).count();
            prop_assert!(count == 0 || worked == count as usize);
        }
    }
}
