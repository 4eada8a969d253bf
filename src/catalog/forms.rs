//! Composes the forms of items. An item lists the keys of shared groups of fields (groups.toml) in order. The key
//! `details` stands for the item's own fields.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use regex::Regex;
use serde::Deserialize;

use super::fault::Faults;
use crate::domain::form::{Field, Form, Kind, Repeat, Section};
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::identity::ResidentId;

const DETAILS: &str = "details";

/// A shared group of fields in groups.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenGroup {
    title: Bilingual,
    repeat: Option<Repeat>,
    fields: Vec<toml::Table>,
}

/// The shared groups by key.
pub(super) type Groups = BTreeMap<String, Section>;

pub(super) fn groups(written: BTreeMap<String, WrittenGroup>, faults: &mut Faults) -> Groups {
    let read = |(key, group): (String, WrittenGroup)| {
        let fields = fields(&group.fields, &key, faults);
        let section = Section { key: key.clone(), title: group.title, repeat: group.repeat, fields };
        check_section(&section, faults);
        (key, section)
    };
    written.into_iter().map(read).collect()
}

/// Composes a form from the listed groups and an item's own fields. `groups` is `None` if groups.toml could not be
/// read; then an unknown group is no fault.
pub(super) fn compose(listed: &[String], own: &[toml::Table], groups: Option<&Groups>, faults: &mut Faults) -> Form {
    let mut sections: Vec<Section> = Vec::new();
    for key in listed {
        if sections.iter().any(|section| section.key == *key) {
            faults.add("form", &format!("lists {key} twice; remove one of them"));
        } else if key == DETAILS {
            let fields = fields(own, DETAILS, faults);
            let title = Bilingual::new("办理信息", "Details");
            let section = Section { key: key.clone(), title, repeat: None, fields };
            check_section(&section, faults);
            sections.push(section);
        } else if let Some(group) = groups.and_then(|groups| groups.get(key)) {
            sections.push(group.clone());
        } else if groups.is_some() {
            faults.add("form", &format!("groups.toml has no group that is called {key}"));
        }
    }
    if listed.iter().any(|key| key == DETAILS) == own.is_empty() {
        faults.add("form", "the item's own fields go under `details`: list it if there are any, and only then");
    }
    Form { sections }
}

fn fields(written: &[toml::Table], section: &str, faults: &mut Faults) -> Vec<Field> {
    written.iter().filter_map(|table| field(table, section, faults)).collect()
}

/// Reads a field. Its keys depend on its kind, and serde cannot refuse unknown keys for such a type. So the field is
/// serialised again: a key of the table that is missing in the output is unknown.
fn field(table: &toml::Table, section: &str, faults: &mut Faults) -> Option<Field> {
    let name = table.get("name").and_then(toml::Value::as_str).unwrap_or("?");
    let place = format!("{section}.{name}");
    let field: Field = match table.clone().try_into() {
        Ok(field) => field,
        Err(error) => {
            faults.add(&place, error.message());
            return None;
        }
    };
    let known = serde_json::to_value(&field).unwrap_or_default();
    for key in table.keys().filter(|key| known.get(key.as_str()).is_none()) {
        faults.add(&place, &format!("a field of this kind has no key `{key}`; remove it"));
    }
    Some(field)
}

fn check_section(section: &Section, faults: &mut Faults) {
    let mut before: Vec<&Field> = Vec::new();
    for field in &section.fields {
        let place = format!("{}.{}", section.key, field.name);
        if !is_name(&field.name) || before.iter().any(|other| other.name == field.name) {
            faults.add(&place, "give it a name that is unique in its group, in small letters, digits and underscores");
        }
        if let Some(wrong) = kind_fault(&field.kind) {
            faults.add(&place, &wrong);
        }
        if let Some(wrong) = mask_fault(field) {
            faults.add(&place, wrong);
        }
        if field.hint.is_none() && needs_hint(&field.kind) {
            faults.add(&place, "needs a `hint` that says where to find the answer, or what it looks like");
        }
        if let Some(when) = &field.when {
            let other = before.iter().find(|other| other.name == when.field && other.when.is_none());
            if !other.is_some_and(|other| !when.is.is_empty() && when.is.iter().all(|value| can_be(other, value))) {
                faults
                    .add(&place, "`when` must name an earlier choice or boolean that is always shown, and its values");
            }
        }
        before.push(field);
    }
    if section.repeat.is_some_and(|repeat| repeat.min > repeat.max || repeat.max == 0) {
        faults.add(&section.key, "`repeat` needs min ≤ max and max > 0");
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// True if the field is a choice or boolean that can have this value.
fn can_be(field: &Field, value: &serde_json::Value) -> bool {
    match &field.kind {
        Kind::Boolean { .. } => value.is_boolean(),
        Kind::Choice { options } => options.iter().any(|option| value == option.value.as_str()),
        _ => false,
    }
}

fn kind_fault(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Text { pattern: Some(pattern), example, max } => pattern_fault(pattern, example.as_deref(), *max),
        Kind::Text { max: 0, .. } | Kind::LongText { max: 0 } => Some("`max` must be more than 0".to_owned()),
        Kind::Choice { options } | Kind::MultiChoice { options } => {
            let values: HashSet<_> = options.iter().map(|option| &option.value).collect();
            (options.is_empty() || values.len() != options.len())
                .then(|| "needs options, each with a different value".to_owned())
        }
        Kind::Money { min, max } | Kind::Integer { min, max } if min > max => Some("needs min ≤ max".to_owned()),
        _ => None,
    }
}

/// True if people need help to know the answer or how to write it.
const fn needs_hint(kind: &Kind) -> bool {
    matches!(kind, Kind::Text { pattern: Some(_), .. } | Kind::CreditCode | Kind::File | Kind::Phone { landline: true })
}

/// A text field needs a mask if its example contains a resident ID, because such a text identifies a person.
fn mask_fault(field: &Field) -> Option<&'static str> {
    match (&field.kind, field.mask) {
        (Kind::Text { example: Some(example), .. }, None) if holds_resident_id(example) => {
            Some("its example holds a resident ID: add a `mask`")
        }
        (Kind::Text { .. }, _) | (_, None) => None,
        _ => Some("`mask` goes with the kind `text` only: remove it"),
    }
}

fn holds_resident_id(text: &str) -> bool {
    const LENGTH: usize = 18;
    let starts = 0..=text.len().saturating_sub(LENGTH);
    starts.filter_map(|at| text.get(at..at + LENGTH)).any(|part| ResidentId::parse(part, NaiveDate::MAX).is_ok())
}

fn pattern_fault(pattern: &str, example: Option<&str>, max: usize) -> Option<String> {
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => return Some(format!("the pattern is no regular expression, correct it: {error}")),
    };
    if !(pattern.starts_with('^') && pattern.ends_with('$')) {
        return Some("the pattern must begin with ^ and end with $".to_owned());
    }
    let fits = example.is_some_and(|example| regex.is_match(example) && example.chars().count() <= max);
    (!fits).then(|| "the pattern needs an `example` that matches it and is not longer than `max`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct File {
            groups: BTreeMap<String, WrittenGroup>,
        }
        let file: File = toml::from_str(text).unwrap();
        let mut faults = Faults::of("groups.toml");
        let groups = groups(file.groups, &mut faults);
        compose(&["g".into(), "g".into(), "h".into(), "details".into()], &[], Some(&groups), &mut faults);
        faults.into_lines()
    }

    #[test]
    fn every_mistake_of_an_editor_is_reported() {
        let lines = told(
            r#"
            [groups.g]
            title = { zh = "组", en = "Group" }
            repeat = { min = 2, max = 1 }
            fields = [
                { name = "a", label = { zh = "甲", en = "A" }, kind = "choice", options = [] },
                { name = "A b", label = { zh = "乙", en = "B" }, kind = "text", max = 3, patern = "^x$" },
                { name = "c", label = { zh = "丙", en = "C" }, kind = "text", max = 3, pattern = "^[$" },
                { name = "d", label = { zh = "丁", en = "D" }, kind = "boolean", when = { field = "a", is = ["z"] } },
                { name = "e", label = { zh = "戊", en = "E" }, kind = "colour" },
                { name = "f", label = { zh = "己", en = "F" }, kind = "integer", min = 2, max = 1 },
                { name = "f", label = { zh = "己", en = "F" }, kind = "text", max = 4, pattern = "^[0-9]$", example = "x" },
                { name = "h", label = { zh = "庚", en = "H" }, kind = "money", min = 0, max = 1, mask = "tail" },
                { name = "j", label = { zh = "壬", en = "J" }, kind = "file" },
                { name = "i", label = { zh = "辛", en = "I" }, kind = "text", max = 40, pattern = "^G[0-9]{18}$", example = "G320413201603070016" },
            ]"#,
        );
        for part in [
            "repeat",
            "g.a: needs options",
            "patern",
            "small letters",
            "no regular expression",
            "`when` must",
            "g.e: unknown variant",
            "min ≤ max",
            "g.f: give it a name",
            "`example`",
            "g.h: `mask` goes",
            "g.i: its example holds a resident ID",
            "g.j: needs a `hint`",
            "lists g twice",
            "called h",
            "under `details`",
        ] {
            assert!(lines.iter().any(|line| line.contains(part)), "{part} in {lines:#?}");
        }
    }
}
