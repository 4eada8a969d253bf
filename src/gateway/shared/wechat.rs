//! WeChat's mini-program platform: the account and the common form of its answers. Sign-in and subscribe messages use
//! both.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::Objection;
use crate::env::Env;
use crate::gateway::shared::http::{Http, HttpNames};

const HTTP: HttpNames = HttpNames {
    base_url: "SONGDA_WECHAT_URL",
    default_url: "https://api.weixin.qq.com",
    timeout: "SONGDA_WECHAT_TIMEOUT",
};

#[derive(Debug, Clone)]
pub struct MiniProgram {
    pub http: Http,
    pub appid: String,
    pub secret: Private<String>,
}

impl MiniProgram {
    pub fn read(env: &mut Env) -> Option<Self> {
        let http = Http::read(env, &HTTP);
        let appid = env.required("SONGDA_WECHAT_APPID", "id of the mini-program");
        let secret = env.secret("SONGDA_WECHAT_SECRET", "secret of the mini-program");
        Some(Self { http: http?, appid: appid?, secret: secret? })
    }

    /// An account for the adapters' tests.
    #[cfg(test)]
    pub(in crate::gateway) fn sample(at: &super::http::HttpSettings) -> Self {
        let secret = Private::new("hush".to_owned());
        Self { http: Http::new(at).unwrap(), appid: "wx0000000000000000".to_owned(), secret }
    }
}

/// The fields that all of WeChat's answers share. Only parts of `errmsg` are kept, because it may repeat an openid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatReply {
    /// The field `errcode`, which some successful answers do not contain.
    pub code: Option<i64>,
    /// WeChat's id of the call. An operator can look the call up by this id in WeChat's console.
    pub rid: Option<String>,
    /// The message field that WeChat refused with error 47003.
    pub culprit: Option<String>,
    /// WeChat's id of the message. It exceeds 2^53, so a floating-point number would lose digits.
    pub msgid: Option<u64>,
}

#[derive(Deserialize)]
struct Wire {
    errcode: Option<i64>,
    #[serde(default)]
    errmsg: String,
    #[serde(default)]
    msgid: Value,
}

impl WechatReply {
    /// Parses an answer; `None` if the answer is not JSON of this form.
    pub fn read(body: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(body).ok()?;
        let msgid = wire.msgid.as_u64().or_else(|| wire.msgid.as_str()?.parse().ok());
        Some(Self { code: wire.errcode, rid: rid(&wire.errmsg), culprit: culprit(&wire.errmsg), msgid })
    }

    /// Describes the answer without personal data, for logs and the database.
    pub fn detail(&self) -> String {
        let code = self.code.map_or_else(|| "no errcode".to_owned(), |code| format!("errcode {code}"));
        let culprit = self.culprit.as_ref().map(|field| format!("field {field}"));
        let rid = self.rid.as_ref().map(|rid| format!("rid {rid}"));
        [Some(code), culprit, rid].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Returns the page or the field of the message that WeChat refused, if the answer names it.
    pub fn objection(&self) -> Option<Objection> {
        match self.code? {
            41030 => Some(Objection::Page),
            47003 => self.culprit.clone().map(Objection::Field),
            _ => None,
        }
    }

    pub fn token_rejected(&self) -> bool {
        matches!(self.code, Some(40001 | 40014 | 42001))
    }
}

/// Extracts the id of the call from `… rid: 65a00000-11111111-22222222`.
fn rid(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.rsplit_once("rid:")?;
    word(rest.trim_start(), |c| c.is_ascii_alphanumeric() || c == '-')
}

/// Extracts the refused field, `phrase2`, from `argument invalid! data.phrase2.value invalid rid: …`.
fn culprit(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.split_once("data.")?;
    word(rest, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn word(text: &str, belongs: impl Fn(char) -> bool) -> Option<String> {
    let word: String = text.chars().take_while(|c| belongs(*c)).take(64).collect();
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> WechatReply {
        WechatReply::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_msgid_beyond_doubles_keeps_all_digits() {
        let number = reply(r#"{"errcode":0,"errmsg":"ok","msgid":1988810812324364291}"#);
        assert_eq!(number.msgid, Some(1_988_810_812_324_364_291));
        assert_eq!(reply(r#"{"errcode":0,"msgid":"1988810812324364291"}"#).msgid, number.msgid);
        assert_eq!(reply(r#"{"errcode":0,"msgid":1e18}"#).msgid, None);
    }

    #[test]
    fn only_the_culprit_and_the_rid_of_errmsg_are_kept() {
        let reply = reply(
            r#"{"errcode":47003,"errmsg":"argument invalid! data.phrase2.value invalid oAAAA rid: 65a00000-11111111-22222222"}"#,
        );
        assert_eq!(reply.detail(), "errcode 47003, field phrase2, rid 65a00000-11111111-22222222");
        assert_eq!(reply.objection(), Some(Objection::Field("phrase2".to_owned())));
    }

    #[test]
    fn only_a_part_that_is_named_is_objected_to() {
        assert_eq!(reply(r#"{"errcode":41030,"errmsg":"invalid page"}"#).objection(), Some(Objection::Page));
        assert_eq!(reply(r#"{"errcode":47003,"errmsg":"argument invalid!"}"#).objection(), None);
        assert_eq!(reply(r#"{"errcode":45168,"errmsg":"data.thing1.value"}"#).objection(), None);
    }

    #[test]
    fn other_texts_are_not_read_as_answers() {
        for body in ["", "<html>", "[]", "\"ok\"", r#"{"errcode":"0"}"#] {
            assert_eq!(WechatReply::read(body.as_bytes()), None, "{body}");
        }
        assert_eq!(reply("{}").code, None);
    }
}
