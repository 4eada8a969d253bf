//! Tests of the shipped catalogue and of broken copies of it.

use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::domain::item::ItemType;
use crate::domain::notice::notification::Event;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

fn shipped() -> Contents {
    read(&folder(), &FieldRules::new()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn catalog() -> Snapshot {
    let contents = shipped();
    let items = contents.items.into_iter().map(|item| ItemVersion { item, version: 1 }).collect();
    let revision = Revision { number: 1, published_at: "2026-11-23T00:00:00Z".parse().unwrap() };
    Snapshot::new(revision, items, Vec::new(), contents.parts)
}

#[test]
fn the_published_counts_are_those_of_the_founding_document() {
    let counts = catalog().counts();
    assert_eq!(counts, Counts { online: 105, mobile: 80, self_service: 18, remote: 20, town_hall: 213, total: 277 });
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn item<'a>(catalog: &'a Snapshot, code: &str) -> &'a Item {
    &catalog.in_force(&ItemCode::new(code)).unwrap().item
}

/// Returns the form of an item, and its example answers.
fn form_of(catalog: &Snapshot, code: &str) -> (Form, Value) {
    let form = item(catalog, code).form.clone().unwrap();
    let example = form.example(today());
    (form, example)
}

/// Returns the forms of all items that have one, each with the name of its item.
fn forms(catalog: &Snapshot) -> Vec<(String, Form)> {
    let form = |version: &ItemVersion| Some((version.item.name.zh.clone(), version.item.form.clone()?));
    catalog.items().iter().filter_map(form).collect()
}

/// Returns the JSON pointer and the code of each fault in the answers to a form.
fn told(catalog: &Snapshot, form: &Form, answer: &Value) -> Vec<(String, &'static str)> {
    let faults = catalog.check_form(form, answer, today()).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

fn owned<const N: usize>(faults: [(&str, &'static str); N]) -> [(String, &'static str); N] {
    faults.map(|(pointer, code)| (pointer.to_owned(), code))
}

/// Collects the JSON pointers to all values inside the answers to a form.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{here}/{name}"), value)).collect(),
        Value::Array(rows) => rows.iter().enumerate().map(|(at, value)| (format!("{here}/{at}"), value)).collect(),
        _ => Vec::new(),
    };
    for (pointer, child) in children {
        pointers(child, &pointer, found);
        found.push(pointer);
    }
}

fn without(answer: &Value, pointer: &str) -> Value {
    let mut answer = answer.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match answer.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(rows) => drop(rows.remove(name.parse().unwrap())),
        _ => unreachable!(),
    }
    answer
}

fn with(answer: &Value, pointer: &str, value: Value) -> Value {
    let mut answer = answer.clone();
    *answer.pointer_mut(pointer).unwrap() = value;
    answer
}

#[test]
fn masked_forms_show_no_number_that_identifies_a_person() {
    let resident_id = regex::Regex::new(r"[0-9]{17}[0-9X]").unwrap();
    let masked = ["账号", "卡号", "学籍号", "残疾人证号", "从业资格证号", "居住证号", "通行证号码", "档案编号"];
    for (name, form) in forms(&catalog()) {
        let shown = form.masked(&form.example(today())).to_string();
        let fields = form.sections.iter().flat_map(|section| &section.fields);
        for field in fields.filter(|field| masked.iter().any(|word| field.label.zh.contains(word))) {
            assert!(field.mask.is_some(), "{name}: {}", field.name);
        }
        assert!(!resident_id.is_match(&shown), "{name}: {shown}");
    }
}

#[test]
fn every_form_accepts_its_example_and_its_schema_agrees_with_the_check() {
    let catalog = catalog();
    let forms = forms(&catalog);
    assert_eq!(forms.len(), catalog.counts().mobile);
    let strange = [json!(null), json!(1.5), json!(-1), json!(""), json!("☃"), json!([]), json!({"x": 1})];
    for (name, form) in forms {
        let schema = form.json_schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let answer = form.example(today());
        assert_eq!(catalog.check_form(&form, &answer, today()), Ok(()), "{name}: {answer}");
        let errors: Vec<String> = schema.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(schema.is_valid(&answer), "{name}: {errors:?}");

        let mut places = Vec::new();
        pointers(&answer, "", &mut places);
        for place in places {
            let slips = strange.iter().map(|value| with(&answer, &place, value.clone()));
            for slip in slips.chain([without(&answer, &place)]) {
                let checked = catalog.check_form(&form, &slip, today());
                // The schema is never stricter than the check. Both find the same structural faults.
                assert!(checked.is_err() || schema.is_valid(&slip), "{name}{place}: only the schema refuses {slip}");
                const STRUCTURAL: [&str; 6] = ["required", "wrong_type", "unknown", "not_asked", "too_short", "blank"];
                if let Err(faults) = checked
                    && faults.iter().all(|fault| STRUCTURAL.contains(&fault.code))
                {
                    assert!(!schema.is_valid(&slip), "{name}{place}: only the check refuses {slip}: {faults:?}");
                }
            }
        }
    }
}

#[test]
fn all_faults_of_an_answer_are_reported_at_once() {
    let catalog = catalog();
    let (form, mut answer) = form_of(&catalog, "JT-0045");
    answer["applicant"]["resident_id"] = "110105194912310021".into();
    answer["applicant"]["phone"] = "+8613800138000".into();
    answer["household"]["region"] = "999999".into();
    answer["details"]["since"] = "2027-01-01".into();
    answer["details"]["home"] = "rented".into();
    answer["details"]["a/b~c"] = 1.into();
    answer["declaration"]["truthful"] = false.into();
    answer["agent"].as_object_mut().unwrap().remove("name");
    let expected = owned([
        ("/applicant/resident_id", "resident_id"),
        ("/applicant/phone", "phone"),
        ("/household/region", "region"),
        ("/details/since", "future"),
        ("/details/home", "not_asked"),
        ("/details/a~1b~0c", "unknown"),
        ("/agent/name", "required"),
        ("/declaration/truthful", "must_be_true"),
    ]);
    assert_eq!(told(&catalog, &form, &answer), expected);
    let faults = catalog.check_form(&form, &answer, today()).unwrap_err();
    assert!(faults.iter().all(|fault| !fault.message.zh.is_empty() && !fault.message.en.is_empty()));
}

#[test]
fn each_choice_of_a_list_is_checked_separately() {
    let catalog = catalog();
    let (form, mut answer) = form_of(&catalog, "JT-0065");
    let known = answer["details"]["changes"][0].clone();
    answer["details"]["changes"] = json!(["nothing", 1, known, known, "neither"]);
    let expected = owned([
        ("/details/changes/0", "not_allowed"),
        ("/details/changes/1", "wrong_type"),
        ("/details/changes/3", "repeated"),
        ("/details/changes/4", "not_allowed"),
    ]);
    assert_eq!(told(&catalog, &form, &answer), expected);
}

#[test]
fn a_company_may_give_a_landline_and_a_person_may_not() {
    let catalog = catalog();
    let (form, answer) = form_of(&catalog, "JT-0065");
    let told = |place, phone: &str| told(&catalog, &form, &with(&answer, place, phone.into()));
    for (phone, accepted) in
        [("0519-82821234", true), ("13800138000", true), ("82821234", false), ("0519-12345", false)]
    {
        assert_eq!(told("/company/phone", phone).is_empty(), accepted, "{phone}");
    }
    assert_eq!(told("/applicant/phone", "0519-82821234"), owned([("/applicant/phone", "phone")]));
}

#[test]
fn a_region_must_be_in_the_published_table_at_the_level_of_the_field() {
    let catalog = catalog();
    let (form, answer) = form_of(&catalog, "JT-0079");
    let slips = [("to_region", "320499"), ("to_region", "320400"), ("to_region", "320413100"), ("from_town", "320413")];
    for (field, code) in slips {
        let slip = with(&answer, &format!("/details/{field}"), code.into());
        assert_eq!(told(&catalog, &form, &slip), [(format!("/details/{field}"), "region")], "{code}");
    }
    assert!(told(&catalog, &form, &with(&answer, "/details/to_region", "110105".into())).is_empty());
}

/// A copy of the catalogue's folder for tests that break it.
struct Spoiled(PathBuf);

impl Spoiled {
    fn copy() -> Self {
        let copy = std::env::temp_dir().join(format!("songda-catalog-{}", crate::domain::kernel::clock::fresh_uuid()));
        copy_folder(&folder(), &copy);
        Self(copy)
    }

    /// Replaces the first occurrence of `from` after `mark` with `to`.
    fn spoil_after(&self, file: &str, mark: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_at(text.find(mark).unwrap_or_else(|| panic!("{file} has no {mark}")));
        assert!(after.contains(from), "{file} has no {from} after {mark}");
        std::fs::write(path, format!("{before}{}", after.replacen(from, to, 1))).unwrap();
    }

    fn spoil(&self, file: &str, from: &str, to: &str) {
        self.spoil_after(file, "", from, to);
    }

    fn faults(&self) -> Vec<CatalogFault> {
        read(&self.0, &FieldRules::new()).unwrap_err()
    }

    /// Returns the file, the item and the field of each fault as one line, without the message.
    fn places(&self) -> Vec<String> {
        let place = |fault: CatalogFault| {
            let parts = [Some(fault.file), fault.item, Some(fault.field)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        sorted(self.faults().into_iter().map(place).collect())
    }
}

impl Drop for Spoiled {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

/// Edits of the catalogue's files, each of which breaks one rule for the fields of an item. An edit consists of the
/// file, the item, the old text, the new text, and the fields in which the check must find a fault.
const BROKEN: &[(&str, &str, &str, &str, &[&str])] = &[
    ("tax", "JT-0081", "case_kind = \"immediate\"", "case_kind = \"promised\"", &["promised"]),
    ("tobacco", "JT-0070", "days = 5", "days = 50", &["promised"]),
    ("public-security", "JT-0045", "days = 7, unit = \"workday\"", "days = 16, unit = \"workday\"", &["promised"]),
    ("transport", "JT-0074", "result_kind = \"certificate\"", "result_kind = \"document\"", &["result_kind"]),
    ("public-security", "JT-0046", "visits = 0", "visits = 1", &["visit_reason", "visits"]),
    ("civil-affairs", "JT-0034", "visit_reason = ", "# ", &["visit_reason"]),
    ("public-security", "JT-0112", "visits = 1", "visits = 0", &["visit_reason", "visits"]),
    ("public-security", "JT-0048", "fen = 2000", "fen = 0", &["fee"]),
    ("public-security", "JT-0049", "发改价格〔2017〕1186号", "", &["fee.basis"]),
    ("public-security", "JT-0050", "per = { zh = \"证\", en = \"licence\" }, ", "", &["fee.per"]),
    ("public-security", "JT-0051", "unconfirmed = [\"online_payment\"]", "", &["fee.online_payment"]),
    ("public-security", "JT-0053", "\"fee_statute\", ", "", &["fee.statute"]),
    ("public-security", "JT-0052", "visits = 0", "visits = 0\nonline_payment = true", &["online_payment"]),
    ("public-security", "JT-0044", "visits = 0", "visits = 0\ntopics = [\"company-tax\"]", &["topics", "topics"]),
    ("archives", "JT-0036", "\"marriage\"", "\"wedding\"", &["topics", "topics"]),
    ("administrative-approval", "JT-0042", "unconfirmed = [\"result_sample\"]", "", &["result_sample"]),
    ("administrative-approval", "JT-0043", "\"conditions\", ", "", &["conditions"]),
    ("administrative-approval", "JT-0069", "\"legal_basis\", ", "", &["legal_basis"]),
    ("administrative-approval", "JT-0064", "visits = 0", "visits = 0\nstages = []", &["stages"]),
    ("agriculture", "JT-0079", "[\"result_sample\"]", "[\"result_sample\", \"conditions\"]", &["unconfirmed"]),
    ("justice", "JT-0076", "visits = 0", "visits = 0\nunconfirmed = [\"result_sample\"]", &["unconfirmed"]),
    ("justice", "JT-0077", "\"mobile_push\", ", "", &["delivery"]),
    ("housing", "JT-0080", "\"window\"]", "\"window\", \"self_print\"]", &["delivery"]),
    ("towns", "JT-0216", "town_hall = true", "town_hall = false", &["town_hall", "village_hall"]),
    ("villages", "JT-0162", "village_hall = true", "village_hall = false", &["village_hall"]),
    ("water", "JT-0230", "visits = 1", "visits = 0", &["visits"]),
];

#[test]
fn every_rule_between_fields_is_checked() {
    let copy = Spoiled::copy();
    let mut expected = Vec::new();
    for (file, item, from, to, fields) in BROKEN {
        let file = format!("items/{file}.toml");
        copy.spoil_after(&file, &format!("\"{item}\""), from, to);
        expected.extend(fields.iter().map(|field| format!("{file} {item} {field}")));
    }
    let shared = [
        ("agencies.toml", "\"0519-12393\"", "\"0519-12345\"", "medical-insurance.complaint_phone"),
        ("agencies.toml", "0519-12333", "12333", "human-resources.consult_phone"),
        ("agencies.toml", "\"jintan\"", "\"nowhere\"", "administrative-approval.halls"),
        ("agencies.toml", "[\"health\"]", "[\"health\", \"luck\"]", "health.topics"),
        ("agencies.toml", "unconfirmed = [\"consult_phone\"]", "", "towns.consult_phone"),
        ("halls.toml", "直溪镇为民服务中心", "直溪为民服务中心", "320413106.name"),
        ("halls.toml", "region = \"320413112\"", "region = \"320413999\"", "320413112.region"),
        ("halls.toml", "0519-12345", "12345", "jintan.phone"),
        ("regions.toml", "code = \"110100\"", "code = \"120100\"", "120100"),
    ];
    for (file, from, to, field) in shared {
        copy.spoil(file, from, to);
        expected.push(format!("{file} {field}"));
    }
    assert_eq!(copy.places(), sorted(expected));
}

#[test]
fn a_permit_without_frequent_questions_is_reported() {
    let copy = Spoiled::copy();
    let file = copy.0.join("procedures.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (stages, _) = text.split_once("[[procedures.faqs]]").unwrap();
    std::fs::write(file, format!("{stages}faqs = []\n")).unwrap();
    let places = copy.places();
    let permits = shipped().items.iter().filter(|item| item.kind == ItemType::Permit).count();
    assert_eq!(places.len(), permits);
    assert!(places.iter().all(|place| place.ends_with(" faqs")), "{places:#?}");
}

#[test]
fn an_unreadable_shared_file_disables_no_other_rule_and_blames_no_item() {
    let names =
        ["groups", "regions", "halls", "calendar", "materials", "agencies", "topics", "procedures", "templates"];
    let files = names.map(|name| format!("{name}.toml"));
    let copy = Spoiled::copy();
    copy.spoil("items/tobacco.toml", "days = 5", "days = 50");
    for file in &files {
        std::fs::write(copy.0.join(file), "[[[").unwrap();
    }
    let mut expected: Vec<String> = files.iter().map(|file| format!("{file} ")).collect();
    expected.push("items/tobacco.toml JT-0070 promised".to_owned());
    assert_eq!(copy.places(), sorted(expected));
}

#[test]
fn a_value_of_the_wrong_type_is_reported_with_file_item_and_field() {
    let copy = Spoiled::copy();
    let item = |code: &str, from: &str, to: &str| {
        copy.spoil_after("items/natural-resources.toml", &format!("\"{code}\""), from, to);
    };
    item("JT-0071", "unit = \"workday\"", "unit = \"week\"");
    item("JT-0071", "form = \"e_licence\"", "form = \"papyrus\"");
    item("JT-0071", "visits = 0", "visits = \"none\"\nvisit = 1");
    item("JT-0072", "result = ", "resultt = ");
    copy.spoil("agencies.toml", "code = \"towns\"", "code = 7");
    copy.spoil("calendar.toml", "\"2025-01-01\"", "\"2025-13-01\"");
    let fields = ["1 materials[0].form", "1 promised.unit", "1 visit", "1 visits", "2 result", "2 resultt"];
    let items = fields.map(|field| format!("items/natural-resources.toml JT-007{field}"));
    let shared = ["agencies.toml agencies[3].code", "calendar.toml years[0].holidays[0][0]"].map(str::to_owned);
    assert_eq!(copy.places(), sorted([&shared[..], &items].concat()));
}

#[test]
fn all_faults_of_the_files_are_reported_at_once() {
    let copy = Spoiled::copy();
    let spoil = |file: &str, from: &str, to: &str| copy.spoil(file, from, to);
    spoil("items/tax.toml", "visits = 0", "visits = 2");
    spoil("items/tax.toml", "case_kind = \"immediate\"", "case_kind = \"soon\"");
    spoil("items/tobacco.toml", "days = 5", "days = 50");
    spoil("items/tobacco.toml", "\"mobile_push\", ", "");
    spoil("items/tobacco.toml", "key = \"business_licence\"", "key = \"bussiness_licence\"");
    spoil("items/archives.toml", "婚姻登记档案查询", "居住证申领");
    spoil("items/water.toml", "agency = \"water\"", "agency = \"watter\"");
    spoil("items/health.toml", "[[items]]", "[[items]");
    spoil("calendar.toml", "2026-10-10", "2026-10-12");
    spoil("halls.toml", "code = \"jintan\"", "code = \"320413001\"");
    spoil("regions.toml", "320413 金坛区", "420413 金坛区");
    let lines: Vec<String> = copy.faults().iter().map(ToString::to_string).collect();
    for part in [
        "items/tax.toml: JT-0081: case_kind: unknown variant `soon`",
        "items/tobacco.toml: JT-0070: promised: must not be longer",
        "items/tobacco.toml: JT-0070: delivery: ",
        "items/tobacco.toml: JT-0070: materials[0].key: no material",
        "居住证申领",
        "watter is not in agencies.toml",
        "items/health.toml: TOML parse error at line",
        "calendar.toml: 2026: 2026-10-12 is no Saturday",
        "halls.toml: 320413001: the code is taken",
        "regions.toml: 420413 金坛区",
    ] {
        let found = |line: &String| line.contains(part) || (part == "居住证申领" && line.contains("share a name"));
        assert!(lines.iter().any(found), "{part}");
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn items_are_found_by_words_and_by_filters() {
    let catalog = catalog();
    let find = |filter: Filter| -> Vec<String> {
        catalog.find(&filter).into_iter().map(|(_, at)| catalog.items()[at].item.code.to_string()).collect()
    };
    let words = |text: &str| find(Filter { query: Some(Query::new(text)), ..Filter::default() });
    assert_eq!(words("补领驾驶证").first().map(String::as_str), Some("JT-0050"));
    assert_eq!(words("居住证").first().map(String::as_str), Some("JT-0045"));
    assert!(words("driving licence").contains(&"JT-0049".to_owned()));
    assert!(words("营业执照").len() >= 7, "items are also found by their result");
    assert_eq!(words("没有这样的事项目录").len(), 0);
    let count = |keep: fn(&Item) -> bool| catalog.items().iter().filter(|version| keep(&version.item)).count();
    let found = |filter: Filter| find(filter).len();
    assert_eq!(found(Filter { mode: Some(Mode::Mobile), ..Filter::default() }), catalog.counts().mobile);
    let tax = Filter { agency: Some(AgencyCode::new("tax")), ..Filter::default() };
    assert_eq!(found(tax), count(|item| item.agency.as_str() == "tax"));
    let village = Filter { level: Some(Level::Village), ..Filter::default() };
    assert_eq!(found(village), count(|item| item.level == Level::Village));
    let company = Filter { subject: Some(Subject::LegalPerson), ..Filter::default() };
    let open = count(|item| item.subject != Subject::NaturalPerson);
    assert_eq!(found(company), open, "an item that is open to both is open to legal persons");
    let has = |topic: &str, code: &str| {
        find(Filter { topic: Some(topic.to_owned()), ..Filter::default() }).contains(&code.to_owned())
    };
    assert!(["JT-0034", "JT-0035", "JT-0036"].iter().all(|code| has("marriage", code)));
    assert!(has("social-security", "JT-0033"), "an item of the towns has the topics of its guiding agency");
}

#[test]
fn regions_and_templates_are_complete() {
    let catalog = catalog();
    let names = catalog.regions().county("320413").unwrap();
    assert_eq!((names.province.as_str(), names.city.as_str(), names.county.as_str()), ("江苏省", "常州市", "金坛区"));
    assert_eq!(catalog.regions().table().provinces.len(), 34);
    assert!(Event::ALL.iter().all(|event| !catalog.templates().status(*event).zh.is_empty()));
}

#[test]
fn the_discreet_name_of_a_sensitive_item_reveals_nothing() {
    let catalog = catalog();
    assert_eq!(item(&catalog, "JT-0033").discreet_name().zh, "政务服务事项");
    assert_eq!(item(&catalog, "JT-0045").discreet_name().zh, "居住证申领");
    let carriers = |code| item(&catalog, code).carriers.len();
    assert_eq!((carriers("JT-0045"), carriers("JT-0067")), (1, 2));
}
