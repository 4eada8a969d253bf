//! Checks an application against its item and reports every fault at once, each with a JSON pointer into the draft.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::upload::FileFault;
use super::{Application, DeliveryChoice, DraftContent, HandedIn, uploads_of};
use crate::domain::case::Delivery;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::form::{Context, Fault, MOST_FAULTS};
use crate::domain::item::{DeliveryWay, Item};
use crate::domain::kernel::ids::{AddressId, UploadId};
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::person::VerifiedIdentity;

/// What the check of an application needs to know in addition to the item.
pub struct Circumstances<'a> {
    /// The applicant's verified identity. `None` before the real-name verification; then the application cannot be
    /// submitted.
    pub applicant: Option<&'a VerifiedIdentity>,
    /// Today's date, and the administrative divisions that exist.
    pub form: Context<'a>,
    /// True if a hall with this code exists.
    pub knows_hall: &'a dyn Fn(&str) -> bool,
    /// The files that the application names and that this applicant uploaded, each with the fault for which its check
    /// refused it. Every other named file is a fault.
    pub uploads: &'a BTreeMap<UploadId, Option<FileFault>>,
    /// The address named in the application, if it is in the applicant's address book.
    pub address: Option<AddressId>,
    /// The carriers of this installation.
    pub carriers: &'a [CarrierCode],
}

impl DraftContent {
    /// Checks the draft as if it were submitted now, and determines how the result will arrive. Reports the faults of
    /// the form, then of the materials, then of the delivery, up to [`MOST_FAULTS`].
    pub fn check(&self, item: &Item, circumstances: &Circumstances<'_>) -> Result<Delivery, Vec<Fault>> {
        let mut faults = Vec::new();
        check_form(&self.application, item, circumstances, &mut faults);
        check_materials(&self.application.materials, item, circumstances.uploads, &mut faults);
        require_materials(&self.application.materials, item, &mut faults);
        let delivery = fix_delivery(self.delivery.as_ref(), item, circumstances);
        let delivery = delivery.map_err(|fault| faults.push(fault));
        faults.truncate(MOST_FAULTS);
        delivery.ok().filter(|_| faults.is_empty()).ok_or(faults)
    }
}

impl Application {
    /// Checks the application as the answer to a supplement notice: it need not be complete, but every part must be
    /// correct. Reports up to [`MOST_FAULTS`] faults.
    pub fn check_supplement(&self, item: &Item, circumstances: &Circumstances<'_>) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let says_nothing = self.note.as_ref().is_none_or(|note| note.expose().trim().is_empty());
        if says_nothing && is_empty(self.form.expose()) && self.materials.is_empty() {
            faults.push(fault("", "required", "请填写说明或补交材料", "add a note or a material"));
        }
        if !is_empty(self.form.expose()) {
            check_form(self, item, circumstances, &mut faults);
        }
        check_materials(&self.materials, item, circumstances.uploads, &mut faults);
        faults.truncate(MOST_FAULTS);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

fn fault(pointer: impl Into<String>, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault { pointer: pointer.into(), code, message: Bilingual::new(zh, en) }
}

fn is_empty(form: &Value) -> bool {
    form.is_null() || form.as_object().is_some_and(Map::is_empty)
}

/// Returns the fault of a named file: it is not the applicant's, or its check refused it.
fn check_upload(pointer: &str, upload: UploadId, uploads: &BTreeMap<UploadId, Option<FileFault>>) -> Option<Fault> {
    let pointer = pointer.to_owned();
    match uploads.get(&upload) {
        None => Some(fault(pointer, "unknown_upload", "没有这个已上传的文件", "is not a file that you uploaded")),
        Some(Some(refused)) => Some(Fault { pointer, code: "refused_upload", message: refused.advice() }),
        Some(None) => None,
    }
}

fn check_form(application: &Application, item: &Item, circumstances: &Circumstances<'_>, faults: &mut Vec<Fault>) {
    let answers = application.form.expose();
    match &item.form {
        Some(form) => {
            let found = form.check(answers, &circumstances.form).err().unwrap_or_default();
            faults.extend(found.into_iter().map(|it| Fault { pointer: format!("/form{}", it.pointer), ..it }));
            faults.extend(circumstances.applicant.into_iter().flat_map(|person| check_applicant(answers, person)));
        }
        None => faults.push(fault("/form", "not_asked", "该事项没有表单", "this item has no form")),
    }
    for (pointer, upload) in uploads_of(answers, "/form".to_owned()) {
        faults.extend(check_upload(&pointer, upload, circumstances.uploads));
    }
}

/// The verified name and resident ID of the person who submits must equal those of the form's applicant, or those of
/// the agent (代办) that the form names. Otherwise a person could apply in another person's name without being named as
/// the agent.
fn check_applicant(answers: &Value, person: &VerifiedIdentity) -> Vec<Fault> {
    let applicant = differences(answers, APPLICANT, person);
    let through_agent = answers.pointer("/agent/through_agent") == Some(&Value::Bool(true));
    if applicant.is_empty() || !through_agent {
        return applicant;
    }
    differences(answers, AGENT, person)
}

/// The keys of the form sections (`catalog/groups.toml`) that name the applicant and the agent.
const APPLICANT: &str = "applicant";
const AGENT: &str = "agent";

/// Returns a fault if the name in a section differs from the verified name, and one if the resident ID differs. Missing
/// members are not reported here: `Form::check` reports them.
fn differences(answers: &Value, section: &str, person: &VerifiedIdentity) -> Vec<Fault> {
    let says = |member: &str| answers.pointer(&format!("/{section}/{member}")).and_then(Value::as_str).map(str::trim);
    let name = says("name").filter(|name| *name != person.name.expose());
    let id = says("resident_id").filter(|id| !id.eq_ignore_ascii_case(person.resident_id.expose()));
    let differs = |member: &str, zh: &str, en: &str| {
        fault(format!("/form/{section}/{member}"), "not_the_verified_person", zh, en)
    };
    let name = name.map(|_| differs("name", "与实名认证的姓名不一致", "is not the name that was verified"));
    let id = id.map(|_| differs("resident_id", "与实名认证的身份证号不一致", "is not the number that was verified"));
    name.into_iter().chain(id).collect()
}

fn check_materials(
    handed_in: &[HandedIn],
    item: &Item,
    uploads: &BTreeMap<UploadId, Option<FileFault>>,
    faults: &mut Vec<Fault>,
) {
    let mut keys = BTreeSet::new();
    for (at, HandedIn { key, uploads: files }) in handed_in.iter().enumerate() {
        if !item.materials.iter().any(|material| material.key == *key) {
            let en = "this item does not ask for this material";
            faults.push(fault(format!("/materials/{at}/key"), "unknown", "该事项没有这份材料", en));
        }
        if !keys.insert(key) {
            faults.push(fault(format!("/materials/{at}/key"), "repeated", "材料重复", "this material is listed twice"));
        }
        let mut seen = BTreeSet::new();
        for (nth, file) in files.iter().enumerate() {
            let pointer = format!("/materials/{at}/uploads/{nth}");
            if let Some(found) = check_upload(&pointer, *file, uploads) {
                faults.push(found);
            } else if !seen.insert(file) {
                faults.push(fault(pointer, "repeated", "文件重复", "this file is listed twice"));
            }
        }
    }
}

fn require_materials(handed_in: &[HandedIn], item: &Item, faults: &mut Vec<Fault>) {
    for material in item.materials.iter().filter(|material| material.needs_upload()) {
        let place = handed_in.iter().position(|it| it.key == material.key);
        if place.and_then(|at| handed_in.get(at)).is_some_and(|it| !it.uploads.is_empty()) {
            continue;
        }
        let pointer = place.map_or("/materials".to_owned(), |at| format!("/materials/{at}/uploads"));
        let zh = format!("请上传{}", material.name.zh);
        faults.push(fault(pointer, "required", zh, format!("{} is required", material.name.en)));
    }
}

fn fix_delivery(
    choice: Option<&DeliveryChoice>,
    item: &Item,
    circumstances: &Circumstances<'_>,
) -> Result<Delivery, Fault> {
    let not_offered = || {
        let en = "this item's result is not delivered in this way";
        fault("/delivery/way", "not_offered", "该事项不支持这种送达方式", en)
    };
    match choice {
        None => Err(fault("/delivery", "required", "请选择送达方式", "choose how the result is to arrive")),
        Some(DeliveryChoice::Electronic) if item.delivers_electronically() => Ok(Delivery::Electronic),
        Some(DeliveryChoice::Courier { address }) if item.delivers(DeliveryWay::Courier) => {
            let carrier = item.carrier_among(circumstances.carriers).ok_or_else(not_offered)?.clone();
            if circumstances.address != Some(*address) {
                let en = "is not an address in your address book";
                return Err(fault("/delivery/address", "unknown", "地址簿中没有这个地址", en));
            }
            Ok(Delivery::Courier { carrier })
        }
        Some(DeliveryChoice::Counter { hall }) if item.delivers(DeliveryWay::Window) => {
            let known = (circumstances.knows_hall)(hall);
            let fixed = known.then(|| Delivery::Counter { hall: hall.clone() });
            fixed.ok_or_else(|| fault("/delivery/hall", "unknown", "没有这个大厅", "there is no such hall"))
        }
        Some(_) => Err(not_offered()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::form::RegionLevel;
    use crate::domain::kernel::private::Private;
    use crate::domain::people::identity::ResidentId;

    fn item() -> Item {
        serde_json::from_value(json!({
            "code": "T-0001", "name": {"zh": "测试事项", "en": "Test item"}, "type": "permit", "agency": "a",
            "guiding_agency": "a", "level": "county", "subject": "both", "case_kind": "promised",
            "promised": {"days": 5, "unit": "workday"},
            "materials": [
                {"key": "photo", "name": {"zh": "照片", "en": "Photo"}, "form": "scan", "required": true},
                {"key": "licence", "name": {"zh": "执照", "en": "Licence"}, "form": "e_licence", "required": true},
                {"key": "proof", "name": {"zh": "证明", "en": "Proof"}, "form": "scan", "required": false},
            ],
            "result": {"zh": "证", "en": "Certificate"}, "delivery": ["mobile_push", "courier", "window"],
            "carriers": ["sf", "ems"], "modes": ["mobile"], "town_hall": false, "village_hall": false, "visits": 1,
            "sensitive": false, "by_post": false, "topics": [], "stages": [], "faqs": [], "unconfirmed": [],
            "form": {"sections": [{"key": "who", "title": {"zh": "申请人", "en": "Applicant"}, "fields": [
                {"name": "name", "label": {"zh": "姓名", "en": "Name"}, "kind": "text", "max": 10},
                {"name": "scan", "label": {"zh": "扫描件", "en": "Scan"}, "kind": "file", "required": false},
            ]}]},
        }))
        .unwrap()
    }

    fn upload(n: u128) -> UploadId {
        UploadId::from_uuid(Uuid::from_u128(n))
    }

    fn address() -> AddressId {
        AddressId::from_uuid(Uuid::from_u128(7))
    }

    fn complete() -> DraftContent {
        let application = Application {
            form: Private::new(json!({"who": {"name": "王小明"}})),
            materials: vec![HandedIn { key: "photo".into(), uploads: vec![upload(1)] }],
            ..Application::default()
        };
        DraftContent { application, delivery: Some(DeliveryChoice::Courier { address: address() }) }
    }

    fn check(content: &DraftContent) -> Result<Delivery, Vec<(String, &'static str)>> {
        check_against(&item(), content)
    }

    fn check_against(item: &Item, content: &DraftContent) -> Result<Delivery, Vec<(String, &'static str)>> {
        let circumstances = Circumstances {
            applicant: None,
            form: Context {
                today: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
                knows_region: &|_: &str, _: RegionLevel| true,
            },
            knows_hall: &|code| code == "jt",
            uploads: &BTreeMap::from([(upload(1), None), (upload(2), None), (upload(3), Some(FileFault::Malware))]),
            address: Some(address()),
            carriers: &[CarrierCode::new("ems"), CarrierCode::new("sf")],
        };
        let places = |faults: Vec<Fault>| faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect();
        content.check(item, &circumstances).map_err(places)
    }

    #[test]
    fn the_first_installed_carrier_of_the_item_is_chosen() {
        assert_eq!(check(&complete()), Ok(Delivery::Courier { carrier: CarrierCode::new("sf") }));
        let jd_first = ["jd", "ems", "sf"].map(CarrierCode::new).to_vec();
        let not_here = check_against(&Item { carriers: jd_first, ..item() }, &complete());
        assert_eq!(not_here, Ok(Delivery::Courier { carrier: CarrierCode::new("ems") }));
        let no_carrier = check_against(&Item { carriers: vec![CarrierCode::new("jd")], ..item() }, &complete());
        assert_eq!(no_carrier, Err(vec![("/delivery/way".to_owned(), "not_offered")]));
    }

    fn without_files(key: &str) -> HandedIn {
        HandedIn { key: key.into(), uploads: vec![] }
    }

    #[test]
    fn each_fault_has_its_pointer() {
        type Change = fn(&mut DraftContent);
        let cases: [(&str, &str, Change); 12] = [
            ("/form/who/name", "required", |it| it.application.form = Private::new(json!({"who": {}}))),
            ("/form/who/scan", "unknown_upload", |it| {
                it.application.form = Private::new(json!({"who": {"name": "王", "scan": upload(9)}}));
            }),
            ("/materials", "required", |it| it.application.materials.clear()),
            ("/materials/0/uploads", "required", |it| it.application.materials[0].uploads.clear()),
            ("/materials/0/uploads/1", "unknown_upload", |it| it.application.materials[0].uploads.push(upload(9))),
            ("/materials/0/uploads/1", "refused_upload", |it| it.application.materials[0].uploads.push(upload(3))),
            ("/materials/0/uploads/1", "repeated", |it| it.application.materials[0].uploads.push(upload(1))),
            ("/materials/1/key", "unknown", |it| it.application.materials.push(without_files("x"))),
            ("/materials/1/key", "repeated", |it| it.application.materials.push(without_files("photo"))),
            ("/delivery", "required", |it| it.delivery = None),
            ("/delivery/address", "unknown", |it| {
                it.delivery = Some(DeliveryChoice::Courier { address: AddressId::from_uuid(Uuid::nil()) });
            }),
            ("/delivery/hall", "unknown", |it| it.delivery = Some(DeliveryChoice::Counter { hall: "x".into() })),
        ];
        for (pointer, code, change) in cases {
            let mut content = complete();
            change(&mut content);
            assert_eq!(check(&content), Err(vec![(pointer.to_owned(), code)]));
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let content = DraftContent { application: Application::default(), delivery: None };
        let places: Vec<_> = check(&content).unwrap_err().into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(places, ["/form", "/materials", "/delivery"]);
    }

    #[test]
    fn a_person_applies_only_for_themselves_or_as_the_named_agent() {
        let id = |text| ResidentId::parse(text, NaiveDate::MAX).unwrap();
        let name = Private::new("王小明".to_owned());
        let verified_at = "2026-11-23T08:00:00Z".parse().unwrap();
        let person = VerifiedIdentity { name, resident_id: id("11010519491231002X"), verified_at };
        let me = json!({"name": " 王小明 ", "resident_id": "11010519491231002x"});
        let other = json!({"name": "李晓红", "resident_id": "320422198506150024"});
        let half = json!({"name": "王小明", "resident_id": "320422198506150024"});
        let agent = |who: &Value, through: bool| {
            let mut agent = who.clone();
            agent["through_agent"] = json!(through);
            agent
        };
        let name_and_id = |section: &str| vec![format!("/form/{section}/name"), format!("/form/{section}/resident_id")];
        for (form, expected) in [
            (json!({"applicant": me}), vec![]),
            (json!({"applicant": other}), name_and_id("applicant")),
            (json!({"applicant": half}), vec!["/form/applicant/resident_id".to_owned()]),
            (json!({"applicant": {"name": "李晓红"}}), vec!["/form/applicant/name".to_owned()]),
            (json!({"applicant": other, "agent": agent(&me, true)}), vec![]),
            (json!({"applicant": other, "agent": agent(&me, false)}), name_and_id("applicant")),
            (json!({"applicant": other, "agent": agent(&other, true)}), name_and_id("agent")),
            (json!({"applicant": me, "agent": agent(&other, true)}), vec![]),
            (json!({"details": {"reason": "x"}}), vec![]),
        ] {
            let faults = check_applicant(&form, &person);
            assert!(faults.iter().all(|fault| fault.code == "not_the_verified_person"));
            let places: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
            assert_eq!(places, expected, "{form}");
        }
    }

    #[test]
    fn an_item_without_a_form_takes_no_application() {
        let formless = Item { form: None, ..item() };
        for answers in [json!({}), json!({"who": {"name": "王小明"}})] {
            let application = Application { form: Private::new(answers), ..complete().application };
            let faults = check_against(&formless, &DraftContent { application, ..complete() }).unwrap_err();
            assert_eq!(faults, [("/form".to_owned(), "not_asked")]);
        }
    }

    #[test]
    fn files_are_found_in_the_materials_and_in_the_form() {
        let mut application = complete().application;
        application.form = Private::new(json!({"rows": [{"scan": upload(2)}]}));
        assert_eq!(application.uploads(), BTreeSet::from([upload(1), upload(2)]));
    }
}
