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

/// The carrier code of the post, which is the default carrier of an item.
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

/// Reads an item, and adds a fault for each mistake. Returns `None` if a required value is missing or has the wrong
/// type.
pub(super) fn read_item(
    table: Table,
    agency: Option<&AgencyCode>,
    shared: &Shared,
    faults: &mut Faults,
) -> Option<Item> {
    let mut keys = Keys::of(table, faults);
    let written = Written::read(&mut keys);
    keys.close();
    written.into_item(agency, shared, faults)
}

/// The keys of one item, as written in its file. A required key is `None` if it is missing or its value has the wrong
/// type.
struct Written {
    code: Option<ItemCode>,
    name: Option<Bilingual>,
    kind: Option<ItemType>,
    level: Option<Level>,
    subject: Option<Subject>,
    guiding_agency: Option<AgencyCode>,
    case_kind: Option<CaseKind>,
    promised: Option<TimeLimit>,
    legal: Option<TimeLimit>,
    legal_basis: Option<String>,
    conditions: Option<Bilingual>,
    fee: Option<Fee>,
    result: Option<Bilingual>,
    result_kind: Option<ResultKind>,
    result_sample: Option<String>,
    delivery: Option<Vec<DeliveryWay>>,
    carriers: Option<Vec<CarrierCode>>,
    modes: Option<Vec<Mode>>,
    town_hall: Option<bool>,
    village_hall: Option<bool>,
    visits: Option<u32>,
    visit_reason: Option<Bilingual>,
    by_post: Option<bool>,
    sensitive: Option<bool>,
    topics: Option<Vec<String>>,
    unconfirmed: Option<Vec<Fact>>,
    stages: Option<Vec<Bilingual>>,
    faqs: Option<Vec<Faq>>,
    materials: Option<Vec<WrittenMaterial>>,
    form: WrittenForm,
}

impl Written {
    fn read(keys: &mut Keys<'_>) -> Self {
        Self {
            code: keys.required("code"),
            name: keys.required("name"),
            kind: keys.required("type"),
            level: keys.required("level"),
            subject: keys.required("subject"),
            guiding_agency: keys.optional("guiding_agency"),
            case_kind: keys.required("case_kind"),
            promised: keys.required("promised"),
            legal: keys.optional("legal"),
            legal_basis: keys.optional("legal_basis"),
            conditions: keys.optional("conditions"),
            fee: keys.optional("fee"),
            result: keys.required("result"),
            result_kind: keys.optional("result_kind"),
            result_sample: keys.optional("result_sample"),
            delivery: keys.list("delivery"),
            carriers: keys.optional_list("carriers"),
            modes: keys.list("modes"),
            town_hall: keys.required("town_hall"),
            village_hall: keys.required("village_hall"),
            visits: keys.required("visits"),
            visit_reason: keys.optional("visit_reason"),
            by_post: keys.optional("by_post"),
            sensitive: keys.optional("sensitive"),
            unconfirmed: keys.optional_list("unconfirmed"),
            topics: keys.optional_list("topics"),
            stages: keys.optional_list("stages"),
            faqs: keys.optional_list("faqs"),
            materials: keys.list("materials"),
            form: WrittenForm::read(keys),
        }
    }

    /// Fills in the defaults and the shared data. The agency of the file is also the guiding agency, unless the item
    /// names another one.
    fn into_item(self, agency: Option<&AgencyCode>, shared: &Shared, faults: &mut Faults) -> Option<Item> {
        let materials = self.materials.map(|written| materials_of(written, shared, faults));
        let form = self.form.compose(shared, faults);
        let kind = self.kind?;
        let subject = self.subject?;
        let guiding_agency = self.guiding_agency.or_else(|| agency.cloned())?;
        let modes = self.modes?;
        let visits = self.visits?;
        let procedure = shared.procedure(kind);
        let common_faqs = procedure.into_iter().flat_map(|it| it.faqs.clone());
        Some(Item {
            code: self.code?,
            name: self.name?,
            kind,
            agency: agency?.clone(),
            topics: self.topics.unwrap_or_else(|| topics_of(&guiding_agency, subject, shared)),
            guiding_agency,
            level: self.level?,
            subject,
            case_kind: self.case_kind?,
            promised: self.promised?,
            legal: self.legal,
            fee: self.fee,
            legal_basis: self.legal_basis,
            conditions: self.conditions,
            materials: materials?,
            result: self.result?,
            result_kind: self.result_kind,
            result_sample: self.result_sample,
            delivery: self.delivery?,
            carriers: self.carriers.unwrap_or_else(|| vec![CarrierCode::new(POST)]),
            visit_reason: self.visit_reason.or_else(|| (visits > 0 && modes.is_empty()).then(window_only)),
            modes,
            town_hall: self.town_hall?,
            village_hall: self.village_hall?,
            visits,
            by_post: self.by_post.unwrap_or_default(),
            stages: self.stages.or_else(|| procedure.map(|it| it.stages.clone())).unwrap_or_default(),
            faqs: self.faqs.into_iter().flatten().chain(common_faqs).collect(),
            unconfirmed: self.unconfirmed.unwrap_or_default(),
            sensitive: self.sensitive.unwrap_or_default(),
            form,
        })
    }
}

/// The keys of the form's sections, and the fields of the item's own section.
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

/// Adds to each material its name from materials.toml. If that file could not be read, the key is used as the name. The
/// file then has a fault, so the catalogue is not published with such names.
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

/// The default topics of an item: the topics of the agency that guides it (业务指导部门), but no topic for a kind of
/// applicant that cannot apply for the item.
fn topics_of(agency: &AgencyCode, subject: Subject, shared: &Shared) -> Vec<String> {
    let agency = shared.agencies.iter().flatten().find(|it| it.code == *agency);
    let topics = shared.topics.iter().flatten().filter(|topic| topic.subject.admits(subject));
    let named = |code: &str| agency.is_some_and(|agency| agency.topics.iter().any(|topic| topic == code));
    topics.map(|topic| topic.code.clone()).filter(|code| named(code)).collect()
}

/// The default `visit_reason` of an item without modes. Such an item can only be handled at a window.
fn window_only() -> Bilingual {
    Bilingual::new("尚未开通网上办理，须到窗口提交申请", "Not handled online yet: the application is made at a window")
}
