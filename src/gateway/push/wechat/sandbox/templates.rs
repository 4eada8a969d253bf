//! The account's message templates, as its administrator drew them up. While none are given, any template is known,
//! one-time, and of any fields.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

/// A template, in the words of `/wxaapi/newtmpl/gettemplate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Template {
    #[serde(rename = "priTmplId")]
    id: String,
    title: String,
    /// `办件名称:{{thing1.DATA}}`, one line for each field.
    content: String,
    #[serde(default)]
    example: String,
    /// 2: one-time, 3: long-term.
    #[serde(rename = "type")]
    kind: u8,
    #[serde(rename = "keywordEnumValueList", default)]
    choices: Vec<Choice>,
}

/// The only texts that a field takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    /// `phrase2.DATA`
    keyword_code: String,
    enum_value_list: Vec<String>,
}

/// What is known of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Whether one consent lasts.
    pub(super) lasting: bool,
    /// The fields that a message must have.
    pub(super) fields: Vec<String>,
    choices: Vec<Choice>,
}

impl Known {
    /// Whether a field takes a text, as far as the template restricts it.
    pub(super) fn takes(&self, field: &str, text: &str) -> bool {
        let choice = self.choices.iter().find(|choice| choice.keyword_code.trim_end_matches(".DATA") == field);
        choice.is_none_or(|choice| choice.enum_value_list.iter().any(|known| known == text))
    }
}

#[derive(Default)]
pub(super) struct Templates(RwLock<BTreeMap<String, Template>>);

impl Templates {
    pub(super) fn replace(&self, templates: Vec<Template>) {
        let by_id = templates.into_iter().map(|template| (template.id.clone(), template)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = by_id;
    }

    pub(super) fn all(&self) -> Vec<Template> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<Known> {
        let templates = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if templates.is_empty() && !id.is_empty() {
            return Some(Known { lasting: false, fields: Vec::new(), choices: Vec::new() });
        }
        let template = templates.get(id)?;
        let fields = template.content.split("{{").filter_map(|part| part.split_once(".DATA}}"));
        let fields = fields.map(|(name, _)| name.to_owned()).collect();
        Some(Known { lasting: template.kind == 3, fields, choices: template.choices.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_its_fields() {
        let templates = Templates::default();
        assert!(templates.find("any").is_some() && templates.find("").is_none());
        let content = "办件名称:{{thing1.DATA}}\n结果:{{phrase2.DATA}}".to_owned();
        let choices = vec![Choice { keyword_code: "phrase2.DATA".into(), enum_value_list: vec!["已通过".into()] }];
        let (title, example) = ("结果".into(), String::new());
        templates.replace(vec![Template { id: "t".into(), title, content, example, kind: 3, choices }]);
        let known = templates.find("t").unwrap();
        assert_eq!((known.lasting, &known.fields[..]), (true, &["thing1".to_owned(), "phrase2".to_owned()][..]));
        assert!(known.takes("thing1", "居住证") && known.takes("phrase2", "已通过") && !known.takes("phrase2", "准予"));
        assert_eq!(templates.find("any"), None);
    }
}
