//! Reads one item from its file. The file refers to shared data by key; this module fills the data in.

use serde::Deserialize;
use toml::Table;

use super::fault::Faults;
use super::forms;
use super::keys::Keys;
use super::shared::Shared;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::form::Form;
use crate::domain::item::due::TimeLimit;
use crate::domain::item::{
    AgencyCode, CaseKind, DeliveryWay, Fact, Faq, Fee, Item, ItemCode, ItemType, Level, Material, MaterialForm, Mode,
    ResultKind, Subject,
};
use crate::domain::kernel::text::Bilingual;

/// The post, which is the default carrier of an item.
const POST: &str = "ems";

/// An item, and the file that contains it.
pub(super) struct Placed {
    pub(super) file: String,
    pub(super) item: Item,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMaterial {
    key: String,
    form: MaterialForm,
    required: Option<bool>,
}

/// Reads an item. If a required key is missing or a value has the wrong type, it adds faults and returns `None`.
pub(super) fn read_item(
    table: Table,
    agency: Option<&AgencyCode>,
    shared: &Shared,
    faults: &mut Faults,
) -> Option<Item> {
    let mut keys = Keys::of(table, faults);
    let written = Written::read(&mut keys, agency);
    keys.close();
    written.into_item(agency, shared, faults)
}

/// The keys of one item. A group is `None` if one of its required keys is missing or has the wrong type.
struct Written {
    identity: Option<Identity>,
    terms: Option<Terms>,
    outcome: Option<Outcome>,
    handling: Option<Handling>,
    guide: Guide,
    materials: Option<Vec<WrittenMaterial>>,
    form: WrittenForm,
}

impl Written {
    fn read(keys: &mut Keys<'_>, agency: Option<&AgencyCode>) -> Self {
        Self {
            identity: Identity::read(keys, agency),
            terms: Terms::read(keys),
            outcome: Outcome::read(keys),
            handling: Handling::read(keys),
            guide: Guide::read(keys),
            materials: keys.list("materials"),
            form: WrittenForm::read(keys),
        }
    }

    fn into_item(self, agency: Option<&AgencyCode>, shared: &Shared, faults: &mut Faults) -> Option<Item> {
        let materials = self.materials.map(|written| materials_of(written, shared, faults));
        let form = self.form.compose(shared, faults);
        let Identity { code, name, kind, level, subject, guiding_agency } = self.identity?;
        let Terms { case_kind, promised, legal, legal_basis, conditions, fee } = self.terms?;
        let Outcome { result, result_kind, result_sample, delivery, carriers } = self.outcome?;
        let Handling { modes, town_hall, village_hall, visits, visit_reason, by_post, sensitive } = self.handling?;
        let Guide { topics, unconfirmed, stages, faqs } = self.guide;
        let procedure = shared.procedure(kind);
        Some(Item {
            topics: topics.unwrap_or_else(|| topics_of(&guiding_agency, subject, shared)),
            stages: stages.or_else(|| procedure.map(|it| it.stages.clone())).unwrap_or_default(),
            faqs: faqs.into_iter().flatten().chain(procedure.into_iter().flat_map(|it| it.faqs.clone())).collect(),
            code,
            name,
            kind,
            agency: agency?.clone(),
            guiding_agency,
            level,
            subject,
            case_kind,
            promised,
            legal,
            fee,
            legal_basis,
            conditions,
            materials: materials?,
            result,
            result_kind,
            result_sample,
            delivery,
            carriers,
            modes,
            town_hall,
            village_hall,
            visits,
            visit_reason,
            by_post,
            unconfirmed,
            sensitive,
            form,
        })
    }
}

struct Identity {
    code: ItemCode,
    name: Bilingual,
    kind: ItemType,
    level: Level,
    subject: Subject,
    guiding_agency: AgencyCode,
}

// The readers below take every key out of the table before they return `None`. Otherwise `Keys::close` would report
// the rest as unknown.
impl Identity {
    /// The agency of the file guides its items unless an item names another one.
    fn read(keys: &mut Keys<'_>, agency: Option<&AgencyCode>) -> Option<Self> {
        let code = keys.required("code");
        let name = keys.required("name");
        let kind = keys.required("type");
        let level = keys.required("level");
        let subject = keys.required("subject");
        let guiding_agency = keys.optional("guiding_agency").or_else(|| agency.cloned());
        Some(Self {
            code: code?,
            name: name?,
            kind: kind?,
            level: level?,
            subject: subject?,
            guiding_agency: guiding_agency?,
        })
    }
}

struct Terms {
    case_kind: CaseKind,
    promised: TimeLimit,
    legal: Option<TimeLimit>,
    legal_basis: Option<String>,
    conditions: Option<Bilingual>,
    fee: Option<Fee>,
}

impl Terms {
    fn read(keys: &mut Keys<'_>) -> Option<Self> {
        let case_kind = keys.required("case_kind");
        let promised = keys.required("promised");
        let legal = keys.optional("legal");
        let legal_basis = keys.optional("legal_basis");
        let conditions = keys.optional("conditions");
        let fee = keys.optional("fee");
        Some(Self { case_kind: case_kind?, promised: promised?, legal, legal_basis, conditions, fee })
    }
}

struct Outcome {
    result: Bilingual,
    result_kind: Option<ResultKind>,
    result_sample: Option<String>,
    delivery: Vec<DeliveryWay>,
    carriers: Vec<CarrierCode>,
}

impl Outcome {
    fn read(keys: &mut Keys<'_>) -> Option<Self> {
        let result = keys.required("result");
        let result_kind = keys.optional("result_kind");
        let result_sample = keys.optional("result_sample");
        let delivery = keys.list("delivery");
        let carriers = keys.optional_list("carriers");
        Some(Self {
            result: result?,
            result_kind,
            result_sample,
            delivery: delivery?,
            carriers: carriers.unwrap_or_else(|| vec![CarrierCode::new(POST)]),
        })
    }
}

struct Handling {
    modes: Vec<Mode>,
    town_hall: bool,
    village_hall: bool,
    visits: u32,
    visit_reason: Option<Bilingual>,
    by_post: bool,
    sensitive: bool,
}

impl Handling {
    fn read(keys: &mut Keys<'_>) -> Option<Self> {
        let modes: Option<Vec<Mode>> = keys.list("modes");
        let town_hall = keys.required("town_hall");
        let village_hall = keys.required("village_hall");
        let visits: Option<u32> = keys.required("visits");
        let visit_reason: Option<Bilingual> = keys.optional("visit_reason");
        let by_post: Option<bool> = keys.optional("by_post");
        let sensitive: Option<bool> = keys.optional("sensitive");
        let modes = modes?;
        let visits = visits?;
        Some(Self {
            visit_reason: visit_reason.or_else(|| (visits > 0 && modes.is_empty()).then(window_only)),
            modes,
            town_hall: town_hall?,
            village_hall: village_hall?,
            visits,
            by_post: by_post.unwrap_or_default(),
            sensitive: sensitive.unwrap_or_default(),
        })
    }
}

struct Guide {
    topics: Option<Vec<String>>,
    unconfirmed: Vec<Fact>,
    stages: Option<Vec<Bilingual>>,
    faqs: Option<Vec<Faq>>,
}

impl Guide {
    fn read(keys: &mut Keys<'_>) -> Self {
        let unconfirmed: Option<Vec<Fact>> = keys.optional_list("unconfirmed");
        Self {
            topics: keys.optional_list("topics"),
            unconfirmed: unconfirmed.unwrap_or_default(),
            stages: keys.optional_list("stages"),
            faqs: keys.optional_list("faqs"),
        }
    }
}

/// The names of the form's sections, and the fields of the item's own section.
struct WrittenForm {
    form: Option<Vec<String>>,
    details: Vec<Table>,
}

impl WrittenForm {
    fn read(keys: &mut Keys<'_>) -> Self {
        let details: Option<Vec<Table>> = keys.optional_list("details");
        Self { form: keys.optional_list("form"), details: details.unwrap_or_default() }
    }

    fn compose(&self, shared: &Shared, faults: &mut Faults) -> Option<Form> {
        let Some(listed) = &self.form else {
            if !self.details.is_empty() {
                faults.add("details", "the item has no form: add `form` and list `details` in it, or remove them");
            }
            return None;
        };
        Some(forms::compose(listed, &self.details, shared.groups.as_ref(), faults))
    }
}

/// Fills in the names. If materials.toml could not be read, the key replaces the name; nothing is published then.
fn materials_of(written: Vec<WrittenMaterial>, shared: &Shared, faults: &mut Faults) -> Vec<Material> {
    let mut resolve = |(at, WrittenMaterial { key, form, required }): (usize, WrittenMaterial)| {
        let name = match &shared.materials {
            Some(names) => names.get(&key).cloned(),
            None => Some(Bilingual::new(&key, &key)),
        };
        if name.is_none() {
            faults.add(&format!("materials[{at}].key"), &format!("no material in materials.toml is called {key}"));
        }
        Some(Material { name: name?, key, form, required: required.unwrap_or(true) })
    };
    written.into_iter().enumerate().filter_map(&mut resolve).collect()
}

/// The default topics of an item: those of its guiding agency that are for applicants that may apply.
fn topics_of(agency: &AgencyCode, subject: Subject, shared: &Shared) -> Vec<String> {
    let agency = shared.agencies.iter().flatten().find(|it| it.code == *agency);
    let topics = shared.topics.iter().flatten().filter(|topic| topic.subject.admits(subject));
    let named = |code: &str| agency.is_some_and(|agency| agency.topics.iter().any(|topic| topic == code));
    topics.map(|topic| topic.code.clone()).filter(|code| named(code)).collect()
}

/// The default reason for a visit to an item without modes: its applicants must come to a window.
fn window_only() -> Bilingual {
    Bilingual::new("尚未开通网上办理，须到窗口提交申请", "Not handled online yet: the application is made at a window")
}
