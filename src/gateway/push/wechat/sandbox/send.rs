//! Serves the sending of a subscribe message (`/cgi-bin/message/subscribe/send`). The checks run in the same order as
//! WeChat's.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::Response;
use serde_json::{Value, json};

use super::answer::{Errcode, refuse, say};
use super::settings::NAME;
use super::{WeChat, fields};
use crate::domain::kernel::clock::Instant;
use crate::sandbox::World;
use crate::sandbox::call::TwinCall;
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::json::Lenient;
use crate::sandbox::phones::IncomingMessage;
use crate::sandbox::shards::{Shards, lock};

struct CheckedMessage {
    openid: String,
    template: String,
    fields: BTreeMap<String, String>,
    page: String,
}

struct Refused {
    code: Errcode,
    words: String,
}

impl Refused {
    fn new(code: Errcode, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

impl WeChat {
    pub(super) async fn send(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let now = world.now();
        let message = match self.check_message(&call, now) {
            Ok(message) => message,
            Err(Refused { code, words }) => {
                world.counters.count(NAME, &format!("send {code}"));
                return refuse(code, &words);
            }
        };
        let Some(_alone) = Alone::enter(&self.under_way, &message.openid) else {
            world.counters.count(NAME, "send 43108");
            return refuse(43108, "cannot make concurrent calls to the same OpenID");
        };
        let openid = message.openid.clone();
        let target = CallTarget { gateway: NAME, operation: "send", recipient: &openid };
        let answer = |denial| match denial {
            None => self.deliver(&world, message, now),
            Some(Denial::ExpiredToken) => {
                self.tokens.expire(now);
                refuse(42001, "access_token expired")
            }
            Some(Denial::UserRefused) => refuse(43101, "user refuse to accept the msg"),
            Some(Denial::UnknownNumber) => refuse(40003, "invalid openid"),
            Some(Denial::Throttled) => refuse(45011, "api minute-quota reach limit"),
        };
        world.perform(target, answer).await
    }

    fn check_message(&self, call: &TwinCall, now: Instant) -> Result<CheckedMessage, Refused> {
        let refused = |code, words: &str| Err(Refused::new(code, words));
        self.tokens
            .check(call.query().get("access_token"), now)
            .map_err(|code| Refused::new(code, "invalid credential, access_token is invalid or not latest"))?;
        if call.body.is_empty() {
            return refused(44002, "empty post data");
        }
        let Some(body) = call.json() else { return refused(47001, "data format error") };
        let openid = body.text("touser");
        let template = body.text("template_id");
        if let Some(code) = demanded(&openid) {
            return refused(code, "on demand");
        }
        if !openid.starts_with("openid-") {
            return refused(40003, "invalid openid");
        }
        let Some(known) = self.templates.find(&template) else { return refused(40037, "invalid template_id") };
        let Some(data) = body.get("data").and_then(Value::as_object) else {
            return refused(47001, "data is not an object");
        };
        let fields: BTreeMap<String, String> =
            data.iter().map(|(name, value)| (name.clone(), value.text("value"))).collect();
        let missing = known.fields.iter().find(|name| !fields.contains_key(*name));
        let suits = |name: &str, value: &str| fields::fits(name, value) && known.takes(name, value);
        let misfit = || fields.iter().find(|(name, value)| !suits(name, value)).map(|(name, _)| name);
        if let Some(name) = missing.or_else(misfit) {
            return Err(Refused::new(47003, format!("argument invalid! data.{name}.value invalid")));
        }
        let page = body.text("page");
        if !self.is_published(&page) {
            return refused(41030, "invalid page");
        }
        Ok(CheckedMessage { openid, template, fields, page })
    }

    fn is_published(&self, page: &str) -> bool {
        let path = page.split('?').next().unwrap_or_default();
        let pages = lock(&self.pages);
        page.is_empty() || pages.as_ref().is_none_or(|pages| pages.iter().any(|known| known == path))
    }

    fn deliver(&self, world: &World, message: CheckedMessage, now: Instant) -> Response {
        let CheckedMessage { openid, template, mut fields, page } = message;
        if !self.consents.take(&openid, &template) {
            return refuse(43101, "user refuse to accept the msg");
        }
        // The id is above 2^53, as WeChat's real ids are. A client that reads it as a floating-point number loses
        // digits.
        let msgid = world.next_number() << 10 | 3;
        let lost = world.faults.strike_delivery(NAME, &openid);
        world.callbacks.post(vec![self.message_event(world, &openid, &template, msgid, lost)]);
        let reference = msgid.to_string();
        if lost {
            return say(&json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }));
        }
        // The page identifies the case. So two messages with equal texts about different cases do not count as copies.
        if !page.is_empty() {
            fields.insert("page".to_owned(), page);
        }
        let message = IncomingMessage { channel: NAME, address: openid, template, fields, key: None, reference };
        world.phones.deliver(message, now);
        say(&json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }))
    }
}

/// Returns the error code that an openid ends in, such as 43101 for `openid-li-43101`; `None` without a code.
fn demanded(openid: &str) -> Option<Errcode> {
    let (_, digits) = openid.rsplit_once('-')?;
    if digits.len() == 5 { digits.parse().ok() } else { None }
}

/// A guard that exists while a message to an openid is being sent. Meanwhile a second message to the same openid is
/// refused.
struct Alone<'a> {
    under_way: &'a Shards<()>,
    openid: String,
}

impl<'a> Alone<'a> {
    fn enter(under_way: &'a Shards<()>, openid: &str) -> Option<Self> {
        let first = under_way.with(openid, |shard| shard.insert(openid.to_owned(), ()).is_none());
        first.then(|| Self { under_way, openid: openid.to_owned() })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.under_way.with(&self.openid, |shard| shard.remove(&self.openid));
    }
}
