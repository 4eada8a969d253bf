//! Fetches the account's templates (微信《获取个人模板列表》, `gettemplate`). WeChat allows this call only a few times a day.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;

use crate::domain::notice::notification::{Consent, KnownTemplate};
use crate::gateway::shared::http::{Http, HttpAnswer, HttpFault};

use super::token::AccessToken;

#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "priTmplId")]
    id: String,
    /// One line for each field, such as `办件名称:{{thing1.DATA}}`.
    content: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(rename = "keywordEnumValueList", default)]
    choices: Option<Vec<Choice>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Choice {
    /// The field's name and `.DATA`, such as `enum5.DATA`.
    keyword_code: String,
    enum_value_list: Vec<String>,
}

pub async fn fetch(http: &Http, token: &AccessToken) -> Result<HttpAnswer, HttpFault> {
    let request = http.request(Method::GET, "/wxaapi/newtmpl/gettemplate");
    http.send(request.query(&[("access_token", token.expose())])).await
}

/// Returns `None` if the body is not a list of templates.
pub fn read(body: &[u8]) -> Option<Vec<KnownTemplate>> {
    let list: List = serde_json::from_slice(body).ok()?;
    Some(list.data.into_iter().map(Listed::known).collect())
}

impl Listed {
    fn known(self) -> KnownTemplate {
        const LONG_TERM: u8 = 3;
        let names = self.content.split("{{").filter_map(|part| Some(part.split_once(".DATA}}")?.0.trim().to_owned()));
        let mut fields: BTreeMap<String, Vec<String>> = names.map(|name| (name, Vec::new())).collect();
        for choice in self.choices.unwrap_or_default() {
            let name = choice.keyword_code.trim_end_matches(".DATA").to_owned();
            fields.insert(name, choice.enum_value_list);
        }
        let consent = if self.kind == LONG_TERM { Consent::LongTerm } else { Consent::OneTime };
        KnownTemplate { id: self.id, fields, consent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let body = r#"{"errcode":0,"data":[
            {"priTmplId":"A","title":"结果","content":"办件名称:{{thing1.DATA}}\n结果:{{enum5.DATA}}\n","example":"","type":3,
             "keywordEnumValueList":[{"keywordCode":"enum5.DATA","enumValueList":["通过","不通过"]}]},
            {"priTmplId":"B","title":"进度","content":"进度:{{phrase2.DATA}}","type":2}]}"#;
        let any = Vec::new();
        let choices = vec!["通过".to_owned(), "不通过".to_owned()];
        let known = read(body.as_bytes()).unwrap();
        let fields = [("thing1".to_owned(), any.clone()), ("enum5".to_owned(), choices)];
        assert_eq!(known[0].fields, BTreeMap::from(fields));
        assert_eq!((known[0].consent, known[1].consent), (Consent::LongTerm, Consent::OneTime));
        assert_eq!(known[1].fields, BTreeMap::from([("phrase2".to_owned(), any)]));
    }

    #[test]
    fn other_answers_are_not_read_as_a_list() {
        for body in ["", "<html>", r#"{"errcode":45009,"errmsg":"reach max api daily quota limit"}"#] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
