//! Reads the catalogue's folder: one TOML file per agency under `items/`, and beside it what all items share. Every
//! file and every item is read on its own, so that one slip hides no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fault::{CatalogFault, Faults};
use super::forms::{self, Groups, WrittenGroup};
use super::places::{Agency, Hall, RegionTable};
use super::templates::{FieldRules, Templates};
use super::{Contents, Parts, rules as item_rules};
use crate::domain::calendar::{Calendar, CalendarYear};
use crate::domain::due::TimeLimit;
use crate::domain::item::{
    AgencyCode, CaseKind, DeliveryWay, Fee, Item, ItemCode, ItemType, Level, Material, MaterialForm, Mode, Subject,
};
use crate::domain::parcel::CarrierCode;
use crate::domain::text::Bilingual;

/// The post: who carries a result where its item names nobody else.
const POST: &str = "ems";

/// Reads and checks the folder; `rules` are what the channels' gateways take.
///
/// # Errors
/// All that is wrong in it.
pub fn read(folder: &Path, rules: &FieldRules) -> Result<Contents, Vec<CatalogFault>> {
    let mut faults = Faults::default();
    let shared = Shared::read(folder, &mut faults);
    let mut placed = Vec::new();
    for path in item_files(folder, &mut faults) {
        read_items(folder, &path, &shared, &mut placed, &mut faults);
    }
    let parts = shared.parts;
    if let Some(parts) = &parts {
        item_rules::check(&placed, parts, rules, &mut faults);
    }
    let found = faults.into_found();
    match parts {
        Some(parts) if found.is_empty() => {
            let mut items: Vec<Item> = placed.into_iter().map(|placed| placed.item).collect();
            items.sort_by(|a, b| a.code.cmp(&b.code));
            Ok(Contents { items, parts })
        }
        _ => Err(found),
    }
}

/// An item, and the file that it stands in.
pub(super) struct Placed {
    pub(super) file: String,
    pub(super) item: Item,
}

/// What all items share.
struct Shared {
    materials: BTreeMap<String, Bilingual>,
    groups: Groups,
    /// `None` where some file cannot be read at all.
    parts: Option<Parts>,
}

impl Shared {
    fn read(folder: &Path, faults: &mut Faults) -> Self {
        let materials = file::<Materials>(folder, "materials.toml", faults);
        let written = file::<WrittenGroups>(folder, "groups.toml", faults);
        let groups = written.map(|file| forms::groups(file.groups, faults));
        let agencies = file::<Agencies>(folder, "agencies.toml", faults);
        let calendar = file::<Years>(folder, "calendar.toml", faults);
        if let Some(calendar) = &calendar {
            check_calendar(&calendar.years, faults);
        }
        let regions = file::<RegionTable>(folder, "regions.toml", faults);
        let halls = file::<Halls>(folder, "halls.toml", faults);
        let templates = file::<Templates>(folder, "templates.toml", faults);
        let parts = (|| {
            Some(Parts {
                agencies: agencies?.agencies,
                regions: regions?.into(),
                halls: halls?.halls,
                calendar: Calendar::from(calendar?.years),
                templates: templates?,
            })
        })();
        Self {
            materials: materials.map(|file| file.materials).unwrap_or_default(),
            groups: groups.unwrap_or_default(),
            parts,
        }
    }
}

fn check_calendar(years: &[CalendarYear], faults: &mut Faults) {
    for (at, year) in years.iter().enumerate() {
        for fault in Calendar::faults(year) {
            faults.add(&year.year.to_string(), &fault);
        }
        if years[..at].iter().any(|other| other.year == year.year) {
            faults.add(&year.year.to_string(), "the year stands there twice; remove one");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Materials {
    materials: BTreeMap<String, Bilingual>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroups {
    groups: BTreeMap<String, WrittenGroup>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agencies {
    agencies: Vec<Agency>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Halls {
    halls: Vec<Hall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Years {
    years: Vec<CalendarYear>,
}

/// A file of items.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemFile {
    agency: AgencyCode,
    items: Vec<toml::Table>,
}

/// An item as its file writes it: what it shares with others is named and not repeated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenItem {
    code: ItemCode,
    name: Bilingual,
    #[serde(rename = "type")]
    kind: ItemType,
    guiding_agency: Option<AgencyCode>,
    level: Level,
    subject: Subject,
    case_kind: CaseKind,
    promised: TimeLimit,
    legal: Option<TimeLimit>,
    fee: Option<Fee>,
    legal_basis: Option<String>,
    conditions: Option<Bilingual>,
    result: Bilingual,
    modes: Vec<Mode>,
    delivery: Vec<DeliveryWay>,
    carriers: Option<Vec<CarrierCode>>,
    town_hall: bool,
    village_hall: bool,
    visits: u32,
    visit_reason: Option<Bilingual>,
    #[serde(default)]
    sensitive: bool,
    materials: Vec<WrittenMaterial>,
    form: Option<Vec<String>>,
    #[serde(default)]
    details: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMaterial {
    key: String,
    form: MaterialForm,
    required: Option<bool>,
}

/// The files under `items/`, in order.
fn item_files(folder: &Path, faults: &mut Faults) -> Vec<PathBuf> {
    faults.enter("items");
    let entries = match std::fs::read_dir(folder.join("items")) {
        Ok(entries) => entries,
        Err(error) => {
            faults.add("", &format!("the folder cannot be read: {error}"));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

fn read_items(folder: &Path, path: &Path, shared: &Shared, placed: &mut Vec<Placed>, faults: &mut Faults) {
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let Some(file) = file::<ItemFile>(folder, &name, faults) else { return };
    for (at, table) in file.items.into_iter().enumerate() {
        let code = table.get("code").and_then(toml::Value::as_str);
        faults.enter_item(code.map_or_else(|| format!("item {}", at + 1), str::to_owned));
        match table.try_into::<WrittenItem>() {
            Ok(written) => {
                let item = written.resolve(&file.agency, shared, faults);
                placed.push(Placed { file: name.clone(), item });
            }
            Err(error) => faults.add("", error.message()),
        }
    }
}

impl WrittenItem {
    fn resolve(self, agency: &AgencyCode, shared: &Shared, faults: &mut Faults) -> Item {
        let form = self.form.map(|listed| forms::compose(&listed, &self.details, &shared.groups, faults));
        Item {
            code: self.code,
            name: self.name,
            kind: self.kind,
            agency: agency.clone(),
            guiding_agency: self.guiding_agency.unwrap_or_else(|| agency.clone()),
            level: self.level,
            subject: self.subject,
            case_kind: self.case_kind,
            promised: self.promised,
            legal: self.legal,
            fee: self.fee,
            legal_basis: self.legal_basis,
            conditions: self.conditions,
            materials: self.materials.into_iter().filter_map(|it| it.resolve(&shared.materials, faults)).collect(),
            result: self.result,
            delivery: self.delivery,
            carriers: self.carriers.unwrap_or_else(|| vec![CarrierCode::new(POST)]),
            modes: self.modes,
            town_hall: self.town_hall,
            village_hall: self.village_hall,
            visits: self.visits,
            visit_reason: self.visit_reason,
            sensitive: self.sensitive,
            form,
        }
    }
}

impl WrittenMaterial {
    fn resolve(self, names: &BTreeMap<String, Bilingual>, faults: &mut Faults) -> Option<Material> {
        let Some(name) = names.get(&self.key).cloned() else {
            faults.add("materials", &format!("no material in materials.toml is called {}", self.key));
            return None;
        };
        Some(Material { key: self.key, name, form: self.form, required: self.required.unwrap_or(true) })
    }
}

/// Reads one file whole.
fn file<T: DeserializeOwned>(folder: &Path, name: &str, faults: &mut Faults) -> Option<T> {
    faults.enter(name);
    let text = match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(error) => {
            faults.add("", &format!("cannot be read: {error}"));
            return None;
        }
    };
    // The error names line and column.
    toml::from_str(&text).map_err(|error| faults.add("", error.to_string().trim_end())).ok()
}
