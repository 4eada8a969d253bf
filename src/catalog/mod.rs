//! The catalogue (事项目录): all items as data, with the data that they share: agencies, regions, halls, topics, the
//! working-day calendar and message templates. Editors write the catalogue as files. A publication stores the changed
//! items as new versions in the database. Each process keeps the published catalogue in memory.

mod fault;
mod files;
mod forms;
mod items;
mod keys;
mod known_templates;
mod places;
mod rules;
mod search;
mod shared;
mod templates;
mod topics;
mod unconfirmed;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::form::{Context, Fault, Form, RegionLevel};
use crate::domain::item::calendar::Calendar;
use crate::domain::item::{AgencyCode, Item, ItemCode, ItemVersion, Level, Mode, Subject};
use crate::domain::kernel::clock::Instant;

pub use fault::CatalogFault;
pub use files::read;
pub use places::{Agency, City, Hall, Province, RegionTable, Regions, Town};
pub use search::{Query, Score};
pub use templates::{Assignment, FieldFault, FieldRules, Templates, Wording};
pub use topics::Topic;

use search::SearchIndex;

/// The checked content of the files, ready to be published.
#[derive(Debug, Clone)]
pub struct Contents {
    /// All items, sorted by code.
    pub items: Vec<Item>,
    pub parts: Parts,
}

/// The data that items share. Each member is published and stored as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Parts {
    pub agencies: Vec<Agency>,
    pub regions: Regions,
    pub halls: Vec<Hall>,
    pub topics: Vec<Topic>,
    pub calendar: Calendar,
    pub templates: Templates,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// The number of the publication. It goes up by one with every publication that changes something.
    pub number: i64,
    pub published_at: Instant,
}

/// How many items can be handled in each mode. The counts are always computed from the items, never entered by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Items that are handled wholly online (全流程网上办).
    pub online: usize,
    /// Items that are handled on the phone (移动办).
    pub mobile: usize,
    /// Items that are handled at a self-service terminal (自助办).
    pub self_service: usize,
    /// Items that can be handled from another place (异地办).
    pub remote: usize,
    /// Items for which the halls of the towns receive applications (为民服务事项).
    pub town_hall: usize,
    pub total: usize,
}

impl Counts {
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        items.into_iter().fold(Self::default(), |counts, item| Self {
            online: counts.online + usize::from(item.has(Mode::Online)),
            mobile: counts.mobile + usize::from(item.has(Mode::Mobile)),
            self_service: counts.self_service + usize::from(item.has(Mode::SelfService)),
            remote: counts.remote + usize::from(item.has(Mode::Remote)),
            town_hall: counts.town_hall + usize::from(item.town_hall),
            total: counts.total + 1,
        })
    }
}

/// One publication in the memory of a process. It never changes: a new publication makes a new snapshot.
#[derive(Debug)]
pub struct Snapshot {
    revision: Revision,
    items: Vec<ItemVersion>,
    places: HashMap<ItemCode, usize>,
    past: HashMap<ItemCode, Vec<ItemVersion>>,
    parts: Parts,
    counts: Counts,
    index: SearchIndex,
}

/// Selects items. A condition that is `None` matches every item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub query: Option<Query>,
    pub mode: Option<Mode>,
    /// Selects items for which this kind of applicant may apply.
    pub subject: Option<Subject>,
    pub agency: Option<AgencyCode>,
    pub level: Option<Level>,
    /// The code of a topic.
    pub topic: Option<String>,
}

impl Snapshot {
    /// Indexes a publication. `past` contains all versions that are no longer in force. Cases and drafts that were
    /// begun with such a version still refer to it.
    pub fn new(revision: Revision, in_force: Vec<ItemVersion>, past: Vec<ItemVersion>, parts: Parts) -> Self {
        let mut items = in_force;
        items.sort_by(|a, b| a.item.code.cmp(&b.item.code));
        let places = items.iter().enumerate().map(|(at, version)| (version.item.code.clone(), at)).collect();
        let mut older: HashMap<ItemCode, Vec<ItemVersion>> = HashMap::new();
        for version in past {
            older.entry(version.item.code.clone()).or_default().push(version);
        }
        let counts = Counts::of(items.iter().map(|version| &version.item));
        let mut index = SearchIndex::default();
        for version in &items {
            index_item(&mut index, &version.item, &parts);
        }
        Self { revision, items, places, past: older, parts, counts, index }
    }

    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The items in force, sorted by code.
    pub fn items(&self) -> &[ItemVersion] {
        &self.items
    }

    /// An item in force. `None` if the item is not published: then the authority must not handle applications for it
    /// (目录之外不得实施行政审批, no administrative approval outside the catalogue).
    pub fn in_force(&self, code: &ItemCode) -> Option<&ItemVersion> {
        self.places.get(code).and_then(|at| self.items.get(*at))
    }

    /// Returns one version of an item, which may be in force or not. `None` if the snapshot has no such version.
    pub fn version(&self, code: &ItemCode, version: i32) -> Option<&ItemVersion> {
        let past = self.past.get(code).into_iter().flatten();
        self.in_force(code).into_iter().chain(past).find(|known| known.version == version)
    }

    pub const fn counts(&self) -> Counts {
        self.counts
    }

    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    pub fn agency(&self, code: &AgencyCode) -> Option<&Agency> {
        self.parts.agencies.iter().find(|agency| agency.code == *code)
    }

    pub fn hall(&self, code: &str) -> Option<&Hall> {
        self.parts.halls.iter().find(|hall| hall.code == code)
    }

    pub fn topic(&self, code: &str) -> Option<&Topic> {
        self.parts.topics.iter().find(|topic| topic.code == code)
    }

    pub const fn regions(&self) -> &Regions {
        &self.parts.regions
    }

    pub const fn calendar(&self) -> &Calendar {
        &self.parts.calendar
    }

    pub const fn templates(&self) -> &Templates {
        &self.parts.templates
    }

    pub fn check_form(&self, form: &Form, answer: &Value, today: NaiveDate) -> Result<(), Vec<Fault>> {
        let knows_region = |code: &str, level: RegionLevel| self.regions().knows(code, level);
        form.check(answer, &Context { today, knows_region: &knows_region })
    }

    /// Returns the items that match a filter, each as its score and its index in [`Snapshot::items`]. The best score
    /// comes first. Items of equal score are sorted by code.
    pub fn find(&self, filter: &Filter) -> Vec<(Score, usize)> {
        let wanted = |(at, version): (usize, &ItemVersion)| {
            let item = &version.item;
            let fits = filter.mode.is_none_or(|mode| item.has(mode))
                && filter.subject.is_none_or(|subject| item.subject.admits(subject))
                && filter.agency.as_ref().is_none_or(|agency| item.agency == *agency)
                && filter.level.is_none_or(|level| item.level == level)
                && filter.topic.as_ref().is_none_or(|topic| item.topics.contains(topic));
            let score = filter.query.as_ref().map_or(1, |query| self.index.score(at, query));
            (fits && score > 0).then_some((score, at))
        };
        let mut found: Vec<_> = self.items.iter().enumerate().filter_map(wanted).collect();
        found.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        found
    }
}

fn index_item(index: &mut SearchIndex, item: &Item, parts: &Parts) {
    let agency = parts.agencies.iter().find(|agency| agency.code == item.agency);
    let mut rest = vec![item.code.as_str(), &item.result.zh, &item.result.en];
    if let Some(agency) = agency {
        rest.extend([agency.name.zh.as_str(), &agency.name.en]);
    }
    index.push(&[&item.name.zh, &item.name.en], &rest);
}

/// The catalogue that a process serves. A new publication replaces its snapshot, and all clones then return the new
/// one.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<RwLock<Arc<Snapshot>>>);

impl Catalog {
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(snapshot))))
    }

    /// A catalogue without items, for processes that never read it.
    pub fn empty() -> Self {
        let revision = Revision { number: 0, published_at: Instant::default() };
        Self::new(Snapshot::new(revision, Vec::new(), Vec::new(), Parts::default()))
    }

    /// The current publication. A request keeps one snapshot from start to end, so that all its data agree.
    pub fn current(&self) -> Arc<Snapshot> {
        // A poisoned lock still holds a complete snapshot, because a replacement is a single assignment.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

#[cfg(test)]
mod tests;
