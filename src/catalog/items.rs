//! An item as its file writes it. What it shares with others is named and not repeated, and is put in its place here.

use serde::Deserialize;
use toml::Table;

use super::fault::Faults;
use super::forms;
use super::keys::Keys;
use super::shared::Shared;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::form::Form;
use crate::domain::item::{AgencyCode, Item, Material, MaterialForm, Subject};
use crate::domain::kernel::text::Bilingual;

/// The post: who carries a result where its item names nobody else.
const POST: &str = "ems";

/// An item, and the file that it stands in.
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

/// Reads an item. `None` if something is missing, or is none of its kind, without which there is no item.
pub(super) fn read_item(
    table: Table,
    agency: Option<&AgencyCode>,
    shared: &Shared,
    faults: &mut Faults,
) -> Option<Item> {
    let mut keys = Keys::of(table, faults);
    let (code, name) = (keys.required("code"), keys.required("name"));
    let (kind, level, subject) = (keys.required("type"), keys.required("level"), keys.required("subject"));
    let guiding_agency = keys.optional("guiding_agency").or_else(|| agency.cloned());
    let (case_kind, promised, legal) = (keys.required("case_kind"), keys.required("promised"), keys.optional("legal"));
    let (legal_basis, conditions, fee) =
        (keys.optional("legal_basis"), keys.optional("conditions"), keys.optional("fee"));
    let (result, result_kind) = (keys.required("result"), keys.optional("result_kind"));
    let result_sample = keys.optional("result_sample");
    let (modes, delivery, carriers) = (keys.list("modes"), keys.list("delivery"), keys.optional_list("carriers"));
    let (town_hall, village_hall) = (keys.required("town_hall"), keys.required("village_hall"));
    let (visits, visit_reason) = (keys.required("visits"), keys.optional::<Bilingual>("visit_reason"));
    let (by_post, sensitive) = (keys.optional("by_post"), keys.optional("sensitive"));
    let (own_topics, unconfirmed) = (keys.optional_list("topics"), keys.optional_list("unconfirmed"));
    let (stages, faqs) = (keys.optional_list("stages"), keys.optional_list("faqs"));
    let materials = keys.list::<WrittenMaterial>("materials");
    let form = Written { form: keys.optional_list("form"), details: keys.optional_list("details").unwrap_or_default() };
    keys.close();

    let materials = materials.map(|written| materials_of(written, shared, faults));
    let form = form.compose(shared, faults);
    let (kind, modes, guiding_agency, subject) = (kind?, modes?, guiding_agency?, subject?);
    let procedure = shared.procedure(kind);
    Some(Item {
        topics: own_topics.unwrap_or_else(|| topics_of(&guiding_agency, subject, shared)),
        stages: stages.or_else(|| procedure.map(|it| it.stages.clone())).unwrap_or_default(),
        faqs: faqs.into_iter().flatten().chain(procedure.into_iter().flat_map(|it| it.faqs.clone())).collect(),
        visit_reason: visit_reason.or_else(|| (visits > Some(0) && modes.is_empty()).then(window_only)),
        code: code?,
        name: name?,
        kind,
        agency: agency?.clone(),
        guiding_agency,
        level: level?,
        subject,
        case_kind: case_kind?,
        promised: promised?,
        legal,
        fee,
        legal_basis,
        conditions,
        materials: materials?,
        result: result?,
        result_kind,
        result_sample,
        delivery: delivery?,
        carriers: carriers.unwrap_or_else(|| vec![CarrierCode::new(POST)]),
        modes,
        town_hall: town_hall?,
        village_hall: village_hall?,
        visits: visits?,
        by_post: by_post.unwrap_or_default(),
        unconfirmed: unconfirmed.unwrap_or_default(),
        sensitive: sensitive.unwrap_or_default(),
        form,
    })
}

/// The form, and the item's own fields of it.
struct Written {
    form: Option<Vec<String>>,
    details: Vec<Table>,
}

impl Written {
    fn compose(&self, shared: &Shared, faults: &mut Faults) -> Option<Form> {
        let Some(listed) = &self.form else {
            if !self.details.is_empty() {
                faults.add("details", "are fields of a form: add `form` and list `details` in it, or remove them");
            }
            return None;
        };
        Some(forms::compose(listed, &self.details, shared.groups.as_ref(), faults))
    }
}

/// Where the names could not be read, a key stands for its name: it is not published then.
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

/// The topics of the agency that guides it, as far as they are for those who may apply.
fn topics_of(agency: &AgencyCode, subject: Subject, shared: &Shared) -> Vec<String> {
    let agency = shared.agencies.iter().flatten().find(|it| it.code == *agency);
    let topics = shared.topics.iter().flatten().filter(|topic| topic.subject.admits(subject));
    let named = |code: &str| agency.is_some_and(|agency| agency.topics.iter().any(|topic| topic == code));
    topics.map(|topic| topic.code.clone()).filter(|code| named(code)).collect()
}

/// Why everybody must come who applies for an item without any mode: it follows, and need not be written.
fn window_only() -> Bilingual {
    Bilingual::new("尚未开通网上办理，须到窗口提交申请", "Not handled online yet: the application is made at a window")
}
