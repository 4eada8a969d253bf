//! The catalogue (事项目录): all items as data, with what they share — agencies, regions, halls, topics, the
//! working-day calendar, message templates. It is edited as files, published into the database in versions, and read from memory.

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
mod table;
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
pub use places::{Agency, City, County, Hall, Province, RegionTable, Regions, Town};
pub use search::{Query, Score};
pub use templates::{Assignment, FieldFault, FieldRules, Templates, Wording};
pub use topics::Topic;

use search::SearchIndex;

/// What the files hold, checked: ready to be published.
#[derive(Debug, Clone)]
pub struct Contents {
    /// All items, by code.
    pub items: Vec<Item>,
    /// What they share.
    pub parts: Parts,
}

/// What items share. Each member is published, and stored, as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Parts {
    /// Who decides and guides.
    pub agencies: Vec<Agency>,
    /// Where people live.
    pub regions: Regions,
    /// Where results are fetched.
    pub halls: Vec<Hall>,
    /// What items are looked for under.
    pub topics: Vec<Topic>,
    /// Which days are worked.
    pub calendar: Calendar,
    /// How events are worded.
    pub templates: Templates,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Counted up by every publication that changed something.
    pub number: i64,
    pub published_at: Instant,
}

/// How many items can be handled in which way: counted, never typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// 全流程网上办
    pub online: usize,
    /// 移动办
    pub mobile: usize,
    /// 自助办
    pub self_service: usize,
    /// 异地办
    pub remote: usize,
    /// 为民服务事项
    pub town_hall: usize,
    pub total: usize,
}

impl Counts {
    #[must_use]
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

/// One publication, as a process holds it in memory. It never changes; a new publication is a new one.
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

/// Which items are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Found by these words.
    pub query: Option<Query>,
    /// Handled in this way.
    pub mode: Option<Mode>,
    /// Open to these applicants.
    pub subject: Option<Subject>,
    /// Decided by this agency.
    pub agency: Option<AgencyCode>,
    /// Exercised at this level.
    pub level: Option<Level>,
    /// Looked for under this topic.
    pub topic: Option<String>,
}

impl Snapshot {
    /// Makes published items ready. `past` are versions that are not in force but that cases were opened on.
    #[must_use]
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

    /// Which publication it is.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The items in force, by code.
    #[must_use]
    pub fn items(&self) -> &[ItemVersion] {
        &self.items
    }

    /// An item in force. `None`: it is not published, and nothing may be decided on it (目录之外不得实施行政审批).
    #[must_use]
    pub fn in_force(&self, code: &ItemCode) -> Option<&ItemVersion> {
        self.places.get(code).and_then(|at| self.items.get(*at))
    }

    /// An item as it was when a case was opened on it.
    #[must_use]
    pub fn version(&self, code: &ItemCode, version: i32) -> Option<&ItemVersion> {
        let past = self.past.get(code).into_iter().flatten();
        self.in_force(code).into_iter().chain(past).find(|known| known.version == version)
    }

    /// How many items can be handled in which way.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What items share.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    #[must_use]
    pub fn agency(&self, code: &AgencyCode) -> Option<&Agency> {
        self.parts.agencies.iter().find(|agency| agency.code == *code)
    }

    #[must_use]
    pub fn hall(&self, code: &str) -> Option<&Hall> {
        self.parts.halls.iter().find(|hall| hall.code == code)
    }

    #[must_use]
    pub fn topic(&self, code: &str) -> Option<&Topic> {
        self.parts.topics.iter().find(|topic| topic.code == code)
    }

    #[must_use]
    pub const fn regions(&self) -> &Regions {
        &self.parts.regions
    }

    /// The working days.
    #[must_use]
    pub const fn calendar(&self) -> &Calendar {
        &self.parts.calendar
    }

    /// The message templates.
    #[must_use]
    pub const fn templates(&self) -> &Templates {
        &self.parts.templates
    }

    /// Judges an answer to a form of this catalogue.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check_form(&self, form: &Form, answer: &Value, today: NaiveDate) -> Result<(), Vec<Fault>> {
        let knows_region = |code: &str, level: RegionLevel| self.regions().knows(code, level);
        form.check(answer, &Context { today, knows_region: &knows_region })
    }

    /// The items that are wanted: how well each answers, and its place in [`Snapshot::items`]. The best come first;
    /// equals stand by code.
    #[must_use]
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

/// The catalogue that a process serves: read by every request, replaced when a new one was published. Cloning shares
/// it.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<RwLock<Arc<Snapshot>>>);

impl Catalog {
    /// Begins with a publication.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(snapshot))))
    }

    /// A catalogue of nothing, for who never looks into it.
    #[must_use]
    pub fn empty() -> Self {
        let revision = Revision { number: 0, published_at: Instant::default() };
        Self::new(Snapshot::new(revision, Vec::new(), Vec::new(), Parts::default()))
    }

    /// The publication at the moment. Hold it for one request, so that all of it is of one piece.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        // A poisoned lock holds a whole catalogue all the same: it is replaced in one move.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves another one from now on.
    pub fn replace(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

#[cfg(test)]
mod tests;
