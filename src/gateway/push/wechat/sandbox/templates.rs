//! The message templates of the simulated account. Until a test sets templates, every template exists, allows any
//! fields, and needs a new consent for each message.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::sandbox::shards::lock;

/// A template, in the JSON format of `/wxaapi/newtmpl/gettemplate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AccountTemplate {
    #[serde(rename = "priTmplId")]
    id: String,
    title: String,
    /// One line for each field, such as `办件名称:{{thing1.DATA}}`.
    content: String,
    #[serde(default)]
    example: String,
    /// The type of consent that the template needs. 2: one-time, 3: long-term.
    #[serde(rename = "type")]
    kind: u8,
    #[serde(rename = "keywordEnumValueList", default)]
    choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    /// The field's name and `.DATA`, such as `phrase2.DATA`.
    keyword_code: String,
    enum_value_list: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateRules {
    pub(super) lasting: bool,
    pub(super) fields: Vec<String>,
    choices: Vec<Choice>,
}

impl TemplateRules {
    /// True if the field may have this text: the template lists the text, or lists no texts for the field.
    pub(super) fn takes(&self, field: &str, text: &str) -> bool {
        let choice = self.choices.iter().find(|choice| choice.keyword_code.trim_end_matches(".DATA") == field);
        choice.is_none_or(|choice| choice.enum_value_list.iter().any(|known| known == text))
    }
}

#[derive(Default)]
pub(super) struct TwinTemplates(Mutex<BTreeMap<String, AccountTemplate>>);

impl TwinTemplates {
    pub(super) fn replace(&self, templates: Vec<AccountTemplate>) {
        let by_id = templates.into_iter().map(|template| (template.id.clone(), template)).collect();
        *lock(&self.0) = by_id;
    }

    pub(super) fn all(&self) -> Vec<AccountTemplate> {
        lock(&self.0).values().cloned().collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<TemplateRules> {
        let templates = lock(&self.0);
        if templates.is_empty() && !id.is_empty() {
            return Some(TemplateRules { lasting: false, fields: Vec::new(), choices: Vec::new() });
        }
        let template = templates.get(id)?;
        let fields = template.content.split("{{").filter_map(|part| part.split_once(".DATA}}"));
        let fields = fields.map(|(name, _)| name.to_owned()).collect();
        Some(TemplateRules { lasting: template.kind == 3, fields, choices: template.choices.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_its_fields() {
        let templates = TwinTemplates::default();
        assert!(templates.find("any").is_some() && templates.find("").is_none());
        let content = "办件名称:{{thing1.DATA}}\n结果:{{phrase2.DATA}}".to_owned();
        let choices = vec![Choice { keyword_code: "phrase2.DATA".into(), enum_value_list: vec!["已通过".into()] }];
        let example = String::new();
        templates.replace(vec![AccountTemplate {
            id: "t".into(),
            title: "结果".into(),
            content,
            example,
            kind: 3,
            choices,
        }]);
        let known = templates.find("t").unwrap();
        assert_eq!((known.lasting, &known.fields[..]), (true, &["thing1".to_owned(), "phrase2".to_owned()][..]));
        assert!(known.takes("thing1", "居住证") && known.takes("phrase2", "已通过") && !known.takes("phrase2", "准予"));
        assert_eq!(templates.find("any"), None);
    }
}
