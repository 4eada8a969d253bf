//! Reads and checks the files that all items share. If a file cannot be read, its data is `None`. Then the references
//! into that file are not checked, but everything else is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::Parts;
use super::fault::Faults;
use super::forms::{self, Groups, WrittenGroup};
use super::keys::Keys;
use super::places::{Agency, Hall, RegionTable, Regions};
use super::templates::{FieldRules, Templates};
use super::topics::Topic;
use crate::domain::item::calendar::{Calendar, CalendarYear};
use crate::domain::item::{Faq, ItemType};
use crate::domain::kernel::text::Bilingual;

pub(super) struct Shared {
    pub(super) materials: Option<BTreeMap<String, Bilingual>>,
    pub(super) groups: Option<Groups>,
    pub(super) procedures: Option<Vec<Procedure>>,
    pub(super) agencies: Option<Vec<Agency>>,
    pub(super) regions: Option<Regions>,
    pub(super) halls: Option<Vec<Hall>>,
    pub(super) topics: Option<Vec<Topic>>,
    calendar: Option<Calendar>,
    templates: Option<Templates>,
}

/// The part of an item's guide that the law makes the same for all items of a type: the stages of the procedure, and
/// frequent questions with their answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Procedure {
    #[serde(rename = "type")]
    pub(super) kind: ItemType,
    pub(super) stages: Vec<Bilingual>,
    pub(super) faqs: Vec<Faq>,
}

impl Shared {
    pub(super) fn read(folder: &Path, faults: &mut Faults) -> Self {
        let groups = keys(folder, "groups.toml", faults, |keys| keys.map::<WrittenGroup>("groups"));
        let groups = groups.map(|written| forms::groups(written, faults));
        let years = keys(folder, "calendar.toml", faults, |keys| keys.list("years"));
        let calendar = years.map(|years| calendar(years, faults));
        let regions = keys(folder, "regions.toml", faults, |keys| {
            let provinces = keys.list("provinces");
            let towns = keys.list("towns");
            Some(RegionTable { provinces: provinces?, towns: towns? })
        });
        let templates = keys(folder, "templates.toml", faults, |keys| {
            let events = keys.required("events");
            let templates = keys.list("templates");
            Some(Templates::new(events?, templates?))
        });
        Self {
            materials: keys(folder, "materials.toml", faults, |keys| keys.map("materials")),
            groups,
            procedures: keys(folder, "procedures.toml", faults, |keys| keys.list("procedures")),
            agencies: keys(folder, "agencies.toml", faults, |keys| keys.list("agencies")),
            regions: regions.map(Regions::from),
            halls: keys(folder, "halls.toml", faults, |keys| keys.list("halls")),
            topics: keys(folder, "topics.toml", faults, |keys| keys.list("topics")),
            calendar,
            templates,
        }
    }

    pub(super) fn procedure(&self, kind: ItemType) -> Option<&Procedure> {
        self.procedures.iter().flatten().find(|procedure| procedure.kind == kind)
    }

    /// Adds the faults of the shared files, file by file.
    pub(super) fn check(&self, rules: &FieldRules, faults: &mut Faults) {
        self.check_places(faults);
        faults.enter("topics.toml");
        unique(self.topics.iter().flatten().map(|topic| topic.code.as_str()), "topic", faults);
        faults.enter("agencies.toml");
        for agency in self.agencies.iter().flatten() {
            agency.check(self.halls.as_deref(), self.topics.as_deref(), faults);
        }
        unique(self.agencies.iter().flatten().map(|agency| agency.code.as_str()), "agency", faults);
        faults.enter("templates.toml");
        if let Some(templates) = &self.templates {
            templates.check(rules, faults);
        }
    }

    fn check_places(&self, faults: &mut Faults) {
        faults.enter("regions.toml");
        if let Some(regions) = &self.regions {
            regions.check(faults);
        }
        faults.enter("halls.toml");
        for hall in self.halls.iter().flatten() {
            hall.check(self.regions.as_ref(), faults);
        }
        unique(self.halls.iter().flatten().map(|hall| hall.code.as_str()), "hall", faults);
    }

    /// Returns the data to publish. `None` if one of the files could not be read.
    pub(super) fn into_parts(self) -> Option<Parts> {
        Some(Parts {
            agencies: self.agencies?,
            regions: self.regions?,
            halls: self.halls?,
            topics: self.topics?,
            calendar: self.calendar?,
            templates: self.templates?,
        })
    }
}

/// Reads one file with `read`. Then adds a fault for every key that `read` did not ask for.
fn keys<T>(folder: &Path, name: &str, faults: &mut Faults, read: impl FnOnce(&mut Keys<'_>) -> Option<T>) -> Option<T> {
    let mut keys = Keys::of_file(folder, name, faults)?;
    let value = read(&mut keys);
    keys.close();
    value
}

fn calendar(years: Vec<CalendarYear>, faults: &mut Faults) -> Calendar {
    for (at, year) in years.iter().enumerate() {
        for fault in Calendar::faults(year) {
            faults.add(&year.year.to_string(), &fault);
        }
        if years[..at].iter().any(|other| other.year == year.year) {
            faults.add(&year.year.to_string(), "the year is listed twice; remove one");
        }
    }
    Calendar::from(years)
}

fn unique<'a>(codes: impl Iterator<Item = &'a str>, what: &str, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for code in codes.filter(|code| !seen.insert(*code)) {
        faults.add(code, &format!("the code is taken by another {what}"));
    }
}
