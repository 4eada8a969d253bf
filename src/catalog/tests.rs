//! The shipped catalogue, read as it is published.
use std::path::PathBuf;

use super::*;
use crate::domain::notification::Event;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("catalog")
}

fn shipped() -> Contents {
    read(&folder(), &FieldRules::new())
        .unwrap_or_else(|faults| panic!("{}", faults.iter().map(|f| format!("{f}\n")).collect::<String>()))
}

fn catalog() -> Snapshot {
    let contents = shipped();
    let items = contents.items.into_iter().map(|item| ItemVersion { item, version: 1 }).collect();
    Snapshot::new(
        Revision { number: 1, published_at: "2026-11-23T00:00:00Z".parse().unwrap() },
        items,
        Vec::new(),
        contents.parts,
    )
}

#[test]
fn the_published_counts_are_those_of_the_founding_document() {
    let counts = catalog().counts();
    assert_eq!(counts, Counts { online: 105, mobile: 80, self_service: 18, remote: 20, town_hall: 213, total: 277 });
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

/// The forms of all items on the phone.
fn forms(catalog: &Snapshot) -> Vec<(String, Form)> {
    let form = |version: &ItemVersion| Some((version.item.name.zh.clone(), version.item.form.clone()?));
    catalog.items().iter().filter_map(form).collect()
}

/// Every pointer into an answer: members, rows, and members of rows.
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
fn no_form_shows_a_number_that_names_a_person_before_it_is_disclosed() {
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
fn every_form_can_be_answered_and_its_two_readers_agree() {
    let catalog = catalog();
    let forms = forms(&catalog);
    assert_eq!(forms.len(), 80);
    let strange = [
        Value::Null,
        1.5.into(),
        (-1).into(),
        "".into(),
        "☃".into(),
        Value::Array(vec![]),
        serde_json::json!({"x": 1}),
    ];
    for (name, form) in forms {
        let schema = jsonschema::draft202012::new(&form.json_schema()).unwrap();
        let answer = form.example(today());
        assert_eq!(catalog.check_form(&form, &answer, today()), Ok(()), "{name}: {answer}");
        assert!(
            schema.is_valid(&answer),
            "{name}: {:?}",
            schema.iter_errors(&answer).map(|e| e.to_string()).collect::<Vec<_>>()
        );

        let mut places = Vec::new();
        pointers(&answer, "", &mut places);
        for place in places {
            let slips =
                strange.iter().map(|value| with(&answer, &place, value.clone())).chain([without(&answer, &place)]);
            for slip in slips {
                let checked = catalog.check_form(&form, &slip, today());
                // The schema's verdict is never harsher, and on what is there at all they say the same.
                assert!(checked.is_err() || schema.is_valid(&slip), "{name}{place}: only the schema refuses {slip}");
                let structural = |faults: &[Fault]| {
                    faults.iter().all(|fault| {
                        ["required", "wrong_type", "unknown", "not_asked", "too_short", "blank"].contains(&fault.code)
                    })
                };
                if let Err(faults) = checked
                    && structural(&faults)
                {
                    assert!(!schema.is_valid(&slip), "{name}{place}: only the check refuses {slip}: {faults:?}");
                }
            }
        }
    }
}

#[test]
fn all_faults_of_an_answer_are_told_at_once() {
    let catalog = catalog();
    let form = catalog.in_force(&ItemCode::new("JT-0045")).unwrap().item.form.clone().unwrap();
    let mut answer = form.example(today());
    answer["applicant"]["resident_id"] = "110105194912310021".into();
    answer["applicant"]["phone"] = "+8613800138000".into();
    answer["household"]["region"] = "999999".into();
    answer["details"]["since"] = "2027-01-01".into();
    answer["details"]["home"] = "rented".into();
    answer["details"]["a/b~c"] = 1.into();
    answer["declaration"]["truthful"] = false.into();
    answer["agent"].as_object_mut().unwrap().remove("name");
    let faults = catalog.check_form(&form, &answer, today()).unwrap_err();
    let told: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.code)).collect();
    assert_eq!(
        told,
        [
            ("/applicant/resident_id", "resident_id"),
            ("/applicant/phone", "phone"),
            ("/household/region", "region"),
            ("/details/since", "future"),
            ("/details/home", "not_asked"),
            ("/details/a~1b~0c", "unknown"),
            ("/agent/name", "required"),
            ("/declaration/truthful", "must_be_true"),
        ]
    );
    assert!(faults.iter().all(|fault| !fault.message.zh.is_empty() && !fault.message.en.is_empty()));
}

#[test]
fn every_fault_of_the_files_is_told_at_once() {
    let copy = std::env::temp_dir().join(format!("songda-catalog-{}", crate::domain::clock::fresh_uuid()));
    copy_folder(&folder(), &copy);
    let spoil = |file: &str, from: &str, to: &str| {
        let path = copy.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    spoil("items/tax.toml", "visits = 0", "visits = 2");
    spoil("items/tax.toml", "case_kind = \"immediate\"", "case_kind = \"soon\"");
    spoil("items/tobacco.toml", "days = 5", "days = 50");
    spoil("items/tobacco.toml", "\"mobile_push\", ", "");
    spoil("items/tobacco.toml", "key = \"business_licence\"", "key = \"bussiness_licence\"");
    spoil("items/archives.toml", "婚姻登记档案查询", "居住证申领");
    spoil("items/water.toml", "agency = \"water\"", "agency = \"watter\"");
    spoil("items/health.toml", "[[items]]", "[[items]");
    spoil("calendar.toml", "2026-10-10", "2026-10-12");
    spoil("halls.toml", "\"jintan\"", "\"320413001\"");
    spoil("regions.toml", "320413 金坛区", "420413 金坛区");
    let lines: Vec<String> = read(&copy, &FieldRules::new()).unwrap_err().iter().map(ToString::to_string).collect();
    std::fs::remove_dir_all(&copy).unwrap();
    for part in [
        "items/tax.toml: JT-0081: unknown variant `soon`",
        "items/tobacco.toml: JT-0070: promised: must not be longer",
        "items/tobacco.toml: JT-0070: delivery: ",
        "items/tobacco.toml: JT-0070: materials: no material",
        "居住证申领",
        "watter is not in agencies.toml",
        "items/health.toml: TOML parse error at line",
        "calendar.toml: 2026: 2026-10-12 is no Saturday",
        "halls.toml: 320413001: the code is taken",
        "regions.toml: 420413 金坛区",
    ] {
        let lines =
            lines.iter().filter(|line| line.contains(part) || (part == "居住证申领" && line.contains("share a name")));
        assert!(lines.count() > 0, "{part}");
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
    assert!(words("营业执照").len() >= 7, "found by the result, too");
    assert_eq!(words("没有这样的事项目录").len(), 0);
    assert_eq!(find(Filter { mode: Some(Mode::Mobile), ..Filter::default() }).len(), 80);
    assert_eq!(find(Filter { agency: Some(AgencyCode::new("tax")), ..Filter::default() }).len(), 3);
    assert_eq!(find(Filter { level: Some(Level::Village), ..Filter::default() }).len(), 11);
    assert_eq!(find(Filter { subject: Some(Subject::LegalPerson), ..Filter::default() }).len(), 29 + 49);
}

#[test]
fn every_template_and_every_address_is_at_hand() {
    let catalog = catalog();
    let names = catalog.regions().county("320413").unwrap();
    assert_eq!((names.province.as_str(), names.city.as_str(), names.county.as_str()), ("江苏省", "常州市", "金坛区"));
    assert_eq!(catalog.regions().table().provinces.len(), 34);
    assert!(Event::ALL.iter().all(|event| !catalog.templates().status(*event).zh.is_empty()));
}

#[test]
fn the_lock_screen_of_a_sensitive_item_says_nothing() {
    let catalog = catalog();
    let discreet = |code| catalog.in_force(&ItemCode::new(code)).unwrap().item.discreet_name().zh;
    assert_eq!(discreet("JT-0033"), "政务服务事项");
    assert_eq!(discreet("JT-0045"), "居住证申领");
    let carriers = |code| catalog.in_force(&ItemCode::new(code)).unwrap().item.carriers.len();
    assert_eq!((carriers("JT-0045"), carriers("JT-0067")), (1, 2));
}
