//! Checks the published catalogue: that there is one, that due dates can be calculated this year and next year, and
//! that each channel has its templates.

use chrono::{Datelike, NaiveDate};
use songda::casework::frame::catalogue::{self, ReadError};
use songda::catalog::Snapshot;
use songda::domain::item::calendar::{Calendar, CalendarYear};
use songda::domain::item::due::Deadlines;
use songda::domain::kernel::clock::{Clock, beijing_day};
use songda::domain::kernel::text::Language;
use songda::domain::notice::notification::{ChannelCode, Event};
use songda::env::Env;
use songda::gateway::push::Channels;
use songda::registry::Registry;
use songda::store::{KeyRing, Store, StoreError};

use super::causes::with_causes;
use super::finding::Finding;
use super::installation::Installation;

pub const GROUP: &str = "catalogue";

/// If the calendar lacks the next year, the check warns from this many days before that year begins. Around that time
/// the public holidays of a year are announced.
const ANNOUNCED_BY: i64 = 61;
const ADD_THE_YEAR: &str = "add the year to catalog/calendar.toml as announced, and run songda catalog load";

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(database) = &installation.database else { return Vec::new() };
    let snapshot = match read(database.url.expose()).await {
        Ok(snapshot) => snapshot,
        Err(error @ ReadError::Nothing) => {
            return vec![Finding::fault(GROUP, "published", with_causes(&error), "songda catalog load")];
        }
        Err(error) => {
            let advice = "repair the database; if it answers, publish the catalogue again with songda catalog load";
            return vec![Finding::fault(GROUP, "published", with_causes(&error), advice)];
        }
    };
    let today = beijing_day(installation.clock.now());
    let calendar = &snapshot.parts().calendar;
    let mut findings = vec![of_items(&snapshot), of_this_year(calendar, today), of_next_year(calendar, today)];
    findings.extend(of_due_dates(&snapshot, today));
    findings.extend(of_templates(&snapshot, &installation.clock));
    findings
}

/// Reads the catalogue. A store cannot be opened without a key ring, but the catalogue contains no sealed data, so a
/// new key ring takes the place of the installation's keys.
async fn read(url: &str) -> Result<Snapshot, ReadError> {
    let keys = KeyRing::parse(KeyRing::fresh_file().expose()).map_err(|error| StoreError::Broken(error.to_string()))?;
    catalogue::read(&Store::new(url, 1, "songda-doctor", keys)?).await
}

fn of_items(snapshot: &Snapshot) -> Finding {
    let revision = snapshot.revision();
    let count = snapshot.items().len();
    if count == 0 {
        let what = format!("revision {} has no items: residents cannot apply for anything", revision.number);
        return Finding::fault(GROUP, "published", what, "run songda catalog load with the folder of the catalogue");
    }
    let day = beijing_day(revision.published_at);
    Finding::ok(GROUP, "published", format!("revision {} of {day}, {count} items in force", revision.number))
}

fn year(calendar: &Calendar, year: i32) -> Option<&CalendarYear> {
    calendar.years().find(|known| known.year == year)
}

fn of_this_year(calendar: &Calendar, today: NaiveDate) -> Finding {
    let this = today.year();
    match year(calendar, this) {
        None => {
            let what = format!("the working days of {this} are not known: due dates cannot be calculated");
            Finding::fault(GROUP, "this-year", what, ADD_THE_YEAR)
        }
        Some(known) if known.is_made_up() => {
            let what = format!("the working days of {this} are made up, not the announced ones: due dates are wrong");
            Finding::warning(GROUP, "this-year", what, "publish the announced ones, without --rehearse")
        }
        Some(_) => Finding::ok(GROUP, "this-year", format!("the working days of {this} are known")),
    }
}

fn of_next_year(calendar: &Calendar, today: NaiveDate) -> Finding {
    let next = today.year() + 1;
    let days = NaiveDate::from_ymd_opt(next, 1, 1).map_or(0, |first| (first - today).num_days());
    match year(calendar, next) {
        Some(known) if !known.is_made_up() => {
            Finding::ok(GROUP, "next-year", format!("the working days of {next} are known, {days} days ahead"))
        }
        Some(_) => {
            let what =
                format!("the working days of {next}, which begins in {days} days, are made up, not the announced ones");
            Finding::warning(GROUP, "next-year", what, "publish the announced ones, without --rehearse")
        }
        None if days > ANNOUNCED_BY => {
            let what = format!("{next} begins in {days} days; its working days are not announced yet");
            Finding::ok(GROUP, "next-year", what)
        }
        None => {
            let what = format!("{next} begins in {days} days, and its working days are not known");
            Finding::warning(GROUP, "next-year", what, ADD_THE_YEAR)
        }
    }
}

/// Returns a fault if cases of some items could not be accepted today, because their due dates are beyond the calendar.
fn of_due_dates(snapshot: &Snapshot, today: NaiveDate) -> Option<Finding> {
    let calendar = &snapshot.parts().calendar;
    let items = snapshot.items().iter().map(|version| &version.item);
    let undated = items.filter(|item| Deadlines::after(today, item.promised, item.legal, calendar).is_err()).count();
    (undated > 0).then(|| {
        let what = format!(
            "cases of {undated} items cannot be accepted today: the calendar lacks the year of their due dates"
        );
        Finding::fault(GROUP, "due-dates", what, ADD_THE_YEAR)
    })
}

/// Checks that every channel of this installation has a template for every event that is sent to phones.
fn of_templates(snapshot: &Snapshot, clock: &Clock) -> Vec<Finding> {
    let channels = Channels::read(&mut Env::of_process(), Registry::shipped().channels(), clock);
    let of_channel = |channel: &ChannelCode| {
        let languages = [Language::Chinese, Language::English];
        let rings = Event::ALL.into_iter().filter(|event| event.rings());
        let wanted = rings.flat_map(|event| languages.map(|language| (event, language)));
        let missing =
            wanted.filter(|(event, language)| snapshot.templates().for_(channel, *event, *language).is_none()).count();
        let check = format!("templates.{channel}");
        if missing == 0 {
            return Finding::ok(GROUP, check, "every event that rings has a template");
        }
        let what = format!("{missing} templates are missing: {channel} sends nothing for their events");
        let advice = "add them to catalog/templates.toml, and run songda catalog load";
        Finding::warning(GROUP, check, what, advice)
    };
    channels.iter().map(|channel| of_channel(channel.code())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_year_is_reported_before_it_begins() {
        let this = CalendarYear { year: 2026, notice: "as announced".to_owned(), holidays: vec![], workdays: vec![] };
        let mut calendar = Calendar::from(vec![this]);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(of_this_year(&calendar, day("2026-06-01")).state_word(), "ok");
        assert_eq!(of_this_year(&calendar, day("2027-01-01")).state_word(), "fault");
        assert_eq!(of_next_year(&calendar, day("2026-10-31")).state_word(), "ok");
        assert_eq!(of_next_year(&calendar, day("2026-11-01")).state_word(), "warning");
        calendar.rehearse(2027..=2027);
        assert_eq!(of_next_year(&calendar, day("2026-10-01")).state_word(), "warning");
        assert_eq!(of_this_year(&calendar, day("2027-01-01")).state_word(), "warning");
    }
}
