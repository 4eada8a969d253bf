//! `/cgi-bin/message/subscribe/send`: the checks in WeChat's order, then the consent, then the phone.

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::Response;
use serde_json::{Value, json};

use super::tokens::Code;
use super::{NAME, WeChat, events, fields, refuse, say};
use crate::domain::kernel::clock::Instant;
use crate::sandbox::World;
use crate::sandbox::call::Call;
use crate::sandbox::faults::Refusal;
use crate::sandbox::json::Lenient;
use crate::sandbox::phones::Delivery;
use crate::sandbox::shards::{Shards, lock};
use crate::sandbox::world::Target;

/// A message that may be sent if the person consented.
struct Message {
    openid: String,
    template: String,
    fields: BTreeMap<String, String>,
    page: String,
}

/// Why a message is not sent.
type Refused = (Code, String);

impl WeChat {
    pub(super) async fn send(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let now = world.now();
        let message = match self.check_message(&call, now) {
            Ok(message) => message,
            Err((code, words)) => {
                world.counters.count(NAME, &format!("send {code}"));
                return refuse(code, &words);
            }
        };
        let Some(_alone) = Alone::enter(&self.under_way, &message.openid) else {
            world.counters.count(NAME, "send 43108");
            return refuse(43108, "cannot make concurrent calls to the same OpenID");
        };
        let openid = message.openid.clone();
        let target = Target { gateway: NAME, operation: "send", recipient: &openid };
        let answer = |refusal| match refusal {
            None => self.deliver(&world, message, now),
            Some(Refusal::ExpiredToken) => {
                self.tokens.expire(now);
                refuse(42001, "access_token expired")
            }
            Some(Refusal::UserRefused) => refuse(43101, "user refuse to accept the msg"),
            Some(Refusal::UnknownNumber) => refuse(40003, "invalid openid"),
            Some(Refusal::Throttled) => refuse(45011, "api minute-quota reach limit"),
        };
        world.perform(target, answer).await
    }

    fn check_message(&self, call: &Call, now: Instant) -> Result<Message, Refused> {
        let refused = |code, words: &str| Err((code, words.to_owned()));
        self.tokens
            .check(call.query().get("access_token"), now)
            .map_err(|code| (code, "invalid credential, access_token is invalid or not latest".to_owned()))?;
        if call.body.is_empty() {
            return refused(44002, "empty post data");
        }
        let Some(body) = call.json() else { return refused(47001, "data format error") };
        let (openid, template) = (body.text("touser"), body.text("template_id"));
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
            return Err((47003, format!("argument invalid! data.{name}.value invalid")));
        }
        let page = body.text("page");
        if !self.is_published(&page) {
            return refused(41030, "invalid page");
        }
        Ok(Message { openid, template, fields, page })
    }

    /// Whether a tap on the message would open something. A message without a page opens nothing, which is allowed.
    fn is_published(&self, page: &str) -> bool {
        let path = page.split('?').next().unwrap_or_default();
        let pages = lock(&self.pages);
        page.is_empty() || pages.as_ref().is_none_or(|pages| pages.iter().any(|known| known == path))
    }

    fn deliver(&self, world: &World, message: Message, now: Instant) -> Response {
        let Message { openid, template, mut fields, page } = message;
        if !self.consents.take(&openid, &template) {
            return refuse(43101, "user refuse to accept the msg");
        }
        // Far beyond 2^53, as in life: whoever reads it as a floating-point number loses its last digits.
        let msgid = world.next_number() << 10 | 3;
        let lost = world.faults.strike_delivery(NAME, &openid);
        world.callbacks.post(vec![events::sent(&self.settings, &openid, &template, msgid, !lost, now)]);
        let reference = msgid.to_string();
        if lost {
            return say(&json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }));
        }
        // The page carries what the message is about, so two messages of the same words to different cases differ.
        if !page.is_empty() {
            fields.insert("page".to_owned(), page);
        }
        world.phones.deliver(Delivery { channel: NAME, address: openid, template, fields, key: None, reference }, now);
        say(&json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid }))
    }
}

/// The error code that an openid asks for.
fn demanded(openid: &str) -> Option<Code> {
    let (_, digits) = openid.rsplit_once('-')?;
    if digits.len() == 5 { digits.parse().ok() } else { None }
}

/// Keeps a second message to the same openid out while the first is under way.
struct Alone<'a> {
    under_way: &'a Shards<()>,
    openid: String,
}

impl<'a> Alone<'a> {
    fn enter(under_way: &'a Shards<()>, openid: &str) -> Option<Self> {
        let first = under_way.with(openid, |piece| piece.insert(openid.to_owned(), ()).is_none());
        first.then(|| Self { under_way, openid: openid.to_owned() })
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.under_way.with(&self.openid, |piece| piece.remove(&self.openid));
    }
}
