//! What WeChat says: `errcode`, the useful parts of `errmsg`, and what each code means for a message
//! (微信《发送订阅消息》, its table of error codes).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::kernel::clock::{Instant, random_below, until_beijing_midnight};
use crate::domain::notice::notification::Objection;
use crate::gateway::push::PushFact;

/// The part that all of WeChat's answers share. WeChat's own words are not kept whole: they may repeat an openid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `errcode`; some answers leave it out when all is well.
    pub code: Option<i64>,
    /// WeChat's id of the call, which its console can look up.
    pub rid: Option<String>,
    /// The field that 47003 complains about.
    pub culprit: Option<String>,
    /// WeChat's id of the message. It exceeds 2^53, so it never passes through a floating-point number.
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

impl Said {
    /// Reads an answer; `None` if it is not JSON of this form.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(body).ok()?;
        let msgid = wire.msgid.as_u64().or_else(|| wire.msgid.as_str()?.parse().ok());
        Some(Self { code: wire.errcode, rid: rid(&wire.errmsg), culprit: culprit(&wire.errmsg), msgid })
    }

    /// The same for people and the record.
    #[must_use]
    pub fn detail(&self) -> String {
        let code = self.code.map_or_else(|| "no errcode".to_owned(), |code| format!("errcode {code}"));
        let culprit = self.culprit.as_ref().map(|field| format!("field {field}"));
        let rid = self.rid.as_ref().map(|rid| format!("rid {rid}"));
        [Some(code), culprit, rid].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The part of the message that WeChat did not like: a page that is not published, or a field.
    #[must_use]
    pub fn objection(&self) -> Option<Objection> {
        match self.code? {
            41030 => Some(Objection::Page),
            47003 => self.culprit.clone().map(Objection::Field),
            _ => None,
        }
    }

    /// Whether the access token was what WeChat did not like.
    #[must_use]
    pub fn token_rejected(&self) -> bool {
        matches!(self.code, Some(40001 | 40014 | 42001))
    }
}

/// `… rid: 65a00000-11111111-22222222`
fn rid(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.rsplit_once("rid:")?;
    word(rest.trim_start(), |c| c.is_ascii_alphanumeric() || c == '-')
}

/// `argument invalid! data.phrase2.value invalid rid: …`
fn culprit(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.split_once("data.")?;
    word(rest, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn word(text: &str, belongs: impl Fn(char) -> bool) -> Option<String> {
    let word: String = text.chars().take_while(|c| belongs(*c)).take(64).collect();
    (!word.is_empty()).then_some(word)
}

/// What an `errcode` of a sent message means; `None` for one that nobody has described.
#[must_use]
pub fn fact(code: i64, now: Instant) -> Option<PushFact> {
    Some(match code {
        0 => PushFact::Delivered { reference: None },
        // An openid that is malformed, or belongs to another mini-program.
        40003 => PushFact::Gone,
        // Never consented, all one-time consents used up, or switched off.
        43101 => PushFact::Refused,
        // Two messages to one person at once.
        43108 => throttled(Duration::from_millis(1_000 + random_below(2_000))),
        // The day's quota, which begins anew at midnight in Beijing.
        45009 => throttled(until_beijing_midnight(now)),
        // The minute's quota.
        45011 => throttled(Duration::from_mins(1)),
        // Busy.
        -1 => PushFact::Unavailable,
        _ if is_ours_to_mend(code) => PushFact::Misconfigured,
        _ => return None,
    })
}

const fn throttled(after: Duration) -> PushFact {
    PushFact::Throttled { after: Some(after) }
}

/// Whether only a change of our account, template or message helps.
const fn is_ours_to_mend(code: i64) -> bool {
    matches!(
        code,
        40001 | 40002 | 40013 | 40014 | 40125 | 40243 | 41001 | 41002 | 41004 | 42001 // credentials
        | 40164 | 61004 | 89503 | 89506 | 89507 // the caller's address is not on the white list
        | 43107 | 45103 | 48001 | 48004 | 50001 | 50002 // not authorised, banned or withdrawn
        | 40037 | 41030 | 45168 | 47003 // template, page, sensitive words, field
        | 40066 | 43002 | 43003 | 44002 | 45002 | 47001 // the request itself
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        Said::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_msgid_beyond_doubles_survives() {
        let number = said(r#"{"errcode":0,"errmsg":"ok","msgid":1988810812324364291}"#);
        assert_eq!(number.msgid, Some(1_988_810_812_324_364_291));
        assert_eq!(said(r#"{"errcode":0,"msgid":"1988810812324364291"}"#).msgid, number.msgid);
        assert_eq!(said(r#"{"errcode":0,"msgid":1e18}"#).msgid, None);
    }

    #[test]
    fn the_culprit_and_the_rid_are_kept_and_the_rest_is_not() {
        let said = said(
            r#"{"errcode":47003,"errmsg":"argument invalid! data.phrase2.value invalid oAAAA rid: 65a00000-11111111-22222222"}"#,
        );
        assert_eq!(said.detail(), "errcode 47003, field phrase2, rid 65a00000-11111111-22222222");
        assert_eq!(said.objection(), Some(Objection::Field("phrase2".to_owned())));
    }

    #[test]
    fn only_a_part_that_is_named_is_objected_to() {
        assert_eq!(said(r#"{"errcode":41030,"errmsg":"invalid page"}"#).objection(), Some(Objection::Page));
        assert_eq!(said(r#"{"errcode":47003,"errmsg":"argument invalid!"}"#).objection(), None);
        assert_eq!(said(r#"{"errcode":45168,"errmsg":"data.thing1.value"}"#).objection(), None);
    }

    #[test]
    fn what_is_not_an_answer_is_not_read() {
        for body in ["", "<html>", "[]", "\"ok\"", r#"{"errcode":"0"}"#] {
            assert_eq!(Said::read(body.as_bytes()), None, "{body}");
        }
        assert_eq!(said("{}").code, None);
    }

    #[test]
    fn every_class_of_code() {
        let now: Instant = "2026-01-01T15:00:00Z".parse().unwrap();
        let after = |seconds| throttled(Duration::from_secs(seconds));
        for (codes, expected) in [
            (&[0][..], PushFact::Delivered { reference: None }),
            (&[40003], PushFact::Gone),
            (&[43101], PushFact::Refused),
            (&[45009], after(3_600)),
            (&[45011], after(60)),
            (&[-1], PushFact::Unavailable),
            (
                &[
                    41001, 40013, 40037, 41030, 43107, 45168, 47001, 44002, 45002, 40066, 43002, 43003, 47003, 48001,
                    48004, 50001, 50002, 40164, 61004, 45103,
                ],
                PushFact::Misconfigured,
            ),
        ] {
            for code in codes {
                assert_eq!(fact(*code, now), Some(expected.clone()), "{code}");
            }
        }
        assert_eq!([200_001, 12_345, 999_999].map(|code| fact(code, now)), [None, None, None]);
        let Some(PushFact::Throttled { after: Some(after) }) = fact(43108, now) else {
            panic!("43108 is a matter of time")
        };
        assert!((1_000..3_000).contains(&after.as_millis()));
    }
}
