//! The published catalogue: whether there is one, whether due dates can be counted today and will be next year, and
//! whether each channel has its templates.

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

/// The days off of a year are announced about two months before it begins.
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
            let advice = "mend the database; if it answers, publish anew with songda catalog load";
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

/// Nothing of the catalogue is sealed, so any key ring reads it: this look needs no keys.
async fn read(url: &str) -> Result<Snapshot, ReadError> {
    let keys = KeyRing::parse(KeyRing::fresh_file().expose()).map_err(|error| StoreError::Broken(error.to_string()))?;
    catalogue::read(&Store::new(url, 1, "songda-doctor", keys)?).await
}

fn of_items(snapshot: &Snapshot) -> Finding {
    let (revision, count) = (snapshot.revision(), snapshot.items().len());
    if count == 0 {
        let what = format!("revision {} holds no item: nobody can apply for anything", revision.number);
        return Finding::fault(GROUP, "published", what, "songda catalog load, from the folder of the catalogue");
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
            let what = format!("the working days of {this} are not known: no due date can be counted");
            Finding::fault(GROUP, "this-year", what, ADD_THE_YEAR)
        }
        Some(known) if known.is_made_up() => {
            let what = format!("the working days of {this} are made up, not announced: due dates are wrong");
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
            let what = format!("the working days of {next}, in {days} days, are made up, not announced");
            Finding::warning(GROUP, "next-year", what, "publish the announced ones, without --rehearse")
        }
        None if days > ANNOUNCED_BY => Finding::ok(
            GROUP,
            "next-year",
            format!("{next} begins in {days} days; its working days are not announced yet"),
        ),
        None => {
            let what = format!("{next} begins in {days} days, and its working days are not known");
            Finding::warning(GROUP, "next-year", what, ADD_THE_YEAR)
        }
    }
}

/// Items whose clock would run beyond the calendar if a case of them were accepted today.
fn of_due_dates(snapshot: &Snapshot, today: NaiveDate) -> Option<Finding> {
    let calendar = &snapshot.parts().calendar;
    let items = snapshot.items().iter().map(|version| &version.item);
    let undated = items.filter(|item| Deadlines::after(today, item.promised, item.legal, calendar).is_err()).count();
    (undated > 0).then(|| {
        let what = format!("{undated} items cannot be accepted today: their due dates lie in a year that is not known");
        Finding::fault(GROUP, "due-dates", what, ADD_THE_YEAR)
    })
}

/// Channels that this installation uses without words for every event that rings.
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
            return Finding::ok(GROUP, check, "every event that rings has its template");
        }
        let what = format!("{missing} templates are missing: {channel} stays silent for their events");
        let advice = "add them to catalog/templates.toml, and run songda catalog load";
        Finding::warning(GROUP, check, what, advice)
    };
    channels.iter().map(|channel| of_channel(channel.code())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(finding: &Finding) -> String {
        serde_json::to_value(finding).unwrap()["state"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_missing_year_is_told_before_it_begins() {
        let this = CalendarYear { year: 2026, notice: "as announced".to_owned(), holidays: vec![], workdays: vec![] };
        let mut calendar = Calendar::from(vec![this]);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(state(&of_this_year(&calendar, day("2026-06-01"))), "ok");
        assert_eq!(state(&of_this_year(&calendar, day("2027-01-01"))), "fault");
        assert_eq!(state(&of_next_year(&calendar, day("2026-10-31"))), "ok");
        assert_eq!(state(&of_next_year(&calendar, day("2026-11-01"))), "warning");
        calendar.rehearse(2027..=2027);
        assert_eq!(state(&of_next_year(&calendar, day("2026-10-01"))), "warning");
        assert_eq!(state(&of_this_year(&calendar, day("2027-01-01"))), "warning");
    }
}
