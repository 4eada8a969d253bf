//! WeChat, played: sign-in, access tokens, subscribe messages with their consents, and the callbacks about them.
//!
//! A `wx.login` code `wx-<name>` signs `openid-<name>` in, once; what follows a dot only makes the code a fresh one
//! (`wx-li.2`). An openid that ends in `-<five digits>` gets that error code for every message (`openid-li-43101`).
//! Beside the protocol, under `/_sandbox/wechat`:
//!
//! | call | does |
//! |---|---|
//! | `POST consents {openid, templates, answer, lasting?}` | plays the tap in the dialog, which asks for three templates at most: `accept`, `reject`, or later `switch_off` |
//! | `PUT templates [{priTmplId, title, content, type, keywordEnumValueList?}]` | says which templates the account has |
//! | `PUT pages ["pages/case/index"]` | says which pages the published version has; while it is not said, all |
//! | `POST tokens/expire` | lets all access tokens end |

pub mod cipher;
mod consents;
mod events;
mod fields;
mod send;
mod settings;
mod templates;
mod tokens;

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use poem::http::StatusCode;
use poem::{Response, Route, get, post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use self::consents::{Consents, Tap};
use self::settings::Settings;
use self::templates::Templates;
use self::tokens::{Code, Tokens};
use crate::domain::kernel::clock::random_bytes;
use crate::env::Env;
use crate::sandbox::call::{self, Call, endpoint};
use crate::sandbox::control::{done, fault};
use crate::sandbox::faults::Refusal;
use crate::sandbox::json::Lenient;
use crate::sandbox::seen::Seen;
use crate::sandbox::shards::{Shards, lock};
use crate::sandbox::world::Target;
use crate::sandbox::{Twin, World};

const NAME: &str = "wechat";
/// For how many templates one dialog asks at the most.
const MOST_AT_ONCE: usize = 3;

/// Makes the twin.
pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let settings = Settings::read(env)?;
    let lifetime = TimeDelta::from_std(settings.token_lifetime).unwrap_or(TimeDelta::hours(2));
    Some(Arc::new(WeChat {
        tokens: Tokens::new(lifetime),
        settings,
        codes: Seen::for_at_least(TimeDelta::days(1)),
        consents: Consents::default(),
        templates: Templates::default(),
        pages: Mutex::default(),
        under_way: Shards::default(),
    }))
}

struct WeChat {
    settings: Settings,
    tokens: Tokens,
    codes: Seen,
    consents: Consents,
    templates: Templates,
    /// The published pages; `None` for all that there may be.
    pages: Mutex<Option<Vec<String>>>,
    /// Openids to which a message is being sent.
    under_way: Shards<()>,
}

impl Twin for WeChat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/sns/jscode2session", get(endpoint(&self, world, Self::sign_in)))
            .at("/cgi-bin/stable_token", post(endpoint(&self, world, Self::stable_token)))
            .at("/cgi-bin/token", get(endpoint(&self, world, Self::classic_token)))
            .at("/cgi-bin/message/subscribe/send", post(endpoint(&self, world, Self::send)))
            .at("/wxaapi/newtmpl/gettemplate", get(endpoint(&self, world, Self::list_templates)))
    }

    fn controls(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/consents", post(endpoint(&self, world, Self::tap)))
            .at("/templates", put(endpoint(&self, world, Self::replace_templates)))
            .at("/pages", put(endpoint(&self, world, Self::replace_pages)))
            .at("/tokens/expire", post(endpoint(&self, world, Self::expire_tokens)))
    }

    fn reset(&self) {
        self.tokens.clear();
        self.codes.clear();
        self.consents.clear();
        *lock(&self.pages) = None;
    }
}

/// A tap in the dialog, or a switch in the settings.
#[derive(Deserialize)]
struct Tapped {
    openid: String,
    templates: Vec<String>,
    answer: Tap,
    /// Whether the consent lasts; if it is not said, as the templates have it.
    lasting: Option<bool>,
}

impl WeChat {
    async fn sign_in(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let query = call.query();
        if let Err(code) = self.check_app(query.get("appid"), query.get("secret")) {
            return refuse(code, "app");
        }
        let code = query.get("js_code").to_owned();
        if code.is_empty() {
            return refuse(41008, "missing code");
        }
        let name = code.strip_prefix("wx-").map(|rest| rest.split('.').next().unwrap_or(rest));
        let Some(openid) = name.map(|name| format!("openid-{name}")) else { return refuse(40029, "invalid code") };
        let target = Target { gateway: NAME, operation: "jscode2session", recipient: &openid };
        let answer = |refusal| match refusal {
            Some(Refusal::Throttled) => refuse(45011, "api minute-quota reach limit"),
            Some(Refusal::UserRefused) => refuse(40226, "code blocked"),
            Some(Refusal::ExpiredToken | Refusal::UnknownNumber) => refuse(40029, "invalid code"),
            None if !self.codes.is_new(&code, world.now()) => refuse(40029, "invalid code"),
            None => {
                use base64::Engine as _;
                let session_key = base64::engine::general_purpose::STANDARD.encode(random_bytes::<16>());
                say(&json!({ "openid": openid, "session_key": session_key }))
            }
        };
        world.perform(target, answer).await
    }

    async fn stable_token(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let Some(body) = call.json() else { return refuse(47001, "data format error") };
        let force = body.get("force_refresh").and_then(Value::as_bool).unwrap_or(false);
        let issue = || self.tokens.stable(force, world.now());
        self.give_token(
            &world,
            "stable_token",
            [&body.text("grant_type"), &body.text("appid"), &body.text("secret")],
            issue,
        )
        .await
    }

    async fn classic_token(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let query = call.query();
        let issue = || Ok(self.tokens.classic(world.now()));
        self.give_token(&world, "token", [query.get("grant_type"), query.get("appid"), query.get("secret")], issue)
            .await
    }

    async fn give_token(
        &self,
        world: &World,
        operation: &'static str,
        [grant_type, appid, secret]: [&str; 3],
        issue: impl FnOnce() -> Result<(String, i64), Code> + Send,
    ) -> Response {
        if grant_type != "client_credential" {
            return refuse(40002, "invalid grant_type");
        }
        if let Err(code) = self.check_app(appid, secret) {
            return refuse(code, "invalid credential");
        }
        let target = Target { gateway: NAME, operation, recipient: "" };
        let answer = |refusal: Option<Refusal>| match refusal.map_or_else(issue, |_| Err(45011)) {
            Ok((token, left)) => say(&json!({ "access_token": token, "expires_in": left })),
            Err(code) => refuse(code, "reach max api limit"),
        };
        world.perform(target, answer).await
    }

    fn check_app(&self, appid: &str, secret: &str) -> Result<(), Code> {
        match (appid, secret) {
            ("", _) => Err(41002),
            (_, "") => Err(41004),
            _ if appid != self.settings.appid => Err(40013),
            _ if secret != self.settings.secret.expose() => Err(40125),
            _ => Ok(()),
        }
    }

    async fn list_templates(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        if let Err(code) = self.tokens.check(call.query().get("access_token"), world.now()) {
            return refuse(code, "invalid credential");
        }
        let target = Target { gateway: NAME, operation: "gettemplate", recipient: "" };
        let answer = |refusal| match refusal {
            Some(_) => refuse(45009, "reach max api daily quota limit"),
            None => say(&json!({ "errcode": 0, "errmsg": "ok", "data": self.templates.all() })),
        };
        world.perform(target, answer).await
    }

    async fn tap(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let Ok(Tapped { openid, templates, answer, lasting }) = serde_json::from_slice(&call.body) else {
            return fault(StatusCode::BAD_REQUEST, "openid, templates and answer (accept, reject, switch_off)");
        };
        let known: Option<Vec<_>> = templates.iter().map(|template| self.templates.find(template)).collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else {
            return fault(StatusCode::NOT_FOUND, "20001: no such template");
        };
        let lasting: Vec<bool> = known.iter().map(|known| lasting.unwrap_or(known.lasting)).collect();
        // The dialog refuses before anybody sees it (`wx.requestSubscribeMessage`); the settings list all that there are.
        if answer != Tap::SwitchOff && templates.len() > MOST_AT_ONCE {
            return fault(StatusCode::BAD_REQUEST, "20003: a dialog asks for three templates at most");
        }
        if answer != Tap::SwitchOff && lasting.iter().any(|lasts| *lasts != lasting[0]) {
            return fault(StatusCode::BAD_REQUEST, "20002: a dialog asks for one-time or for long-term templates");
        }
        for (template, lasts) in templates.iter().zip(lasting) {
            self.consents.tap(&openid, template, answer, lasts);
        }
        let event = match answer {
            Tap::SwitchOff => events::switched_off(&self.settings, &openid, &templates, world.now()),
            _ => events::answered(&self.settings, &openid, &templates, answer == Tap::Accept, world.now()),
        };
        world.callbacks.post(vec![event]);
        done()
    }

    async fn replace_templates(self: Arc<Self>, _: Arc<World>, call: Call) -> Response {
        match serde_json::from_slice(&call.body) {
            Ok(templates) => self.templates.replace(templates),
            Err(_) => return fault(StatusCode::BAD_REQUEST, "a list of {priTmplId, title, content, type}"),
        }
        done()
    }

    async fn replace_pages(self: Arc<Self>, _: Arc<World>, call: Call) -> Response {
        match serde_json::from_slice(&call.body) {
            Ok(pages) => *lock(&self.pages) = Some(pages),
            Err(_) => return fault(StatusCode::BAD_REQUEST, "a list of paths"),
        }
        done()
    }

    async fn expire_tokens(self: Arc<Self>, world: Arc<World>, _: Call) -> Response {
        self.tokens.expire(world.now());
        done()
    }
}

/// An answer; WeChat's status is always 200.
fn say(value: &Value) -> Response {
    call::json(StatusCode::OK, value)
}

/// An error, with the id by which WeChat would find it in its logs.
fn refuse(code: Code, words: &str) -> Response {
    let [a, b, c]: [[u8; 4]; 3] = [random_bytes(), random_bytes(), random_bytes()];
    let rid = format!("{}-{}-{}", hex::encode(a), hex::encode(b), hex::encode(c));
    say(&json!({ "errcode": code, "errmsg": format!("{words} rid: {rid}") }))
}

#[cfg(test)]
mod tests;
