//! Simulates WeChat in the sandbox: sign-in, access tokens, subscribe messages, consents to them, and callbacks.
//!
//! The sign-in code `wx-<name>` signs in the openid `openid-<name>` once; a suffix after a dot makes another code for
//! the same person (`wx-li.2`). If an openid ends in `-<five digits>`, every message to this openid is refused with
//! this error code (`openid-li-43101`). Endpoints for tests, below `/_sandbox/wechat`:
//!
//! | call | does |
//! |---|---|
//! | `POST consents {openid, templates, answer, lasting?}` | plays a person's answer to a request for consent |
//! | `PUT templates [{priTmplId, title, content, type, keywordEnumValueList?}]` | sets the account's templates |
//! | `PUT pages ["pages/case/index"]` | sets the pages of the published version; before that, all pages exist |
//! | `POST tokens/expire` | ends all access tokens |
//!
//! In the consent dialog, which offers at most three templates, a person answers `accept` or `reject`. Later, in
//! WeChat's settings, a person can `switch_off` a consent.

mod answer;
pub mod cipher;
mod consents;
mod events;
mod fields;
mod send;
mod settings;
mod sign_in;
mod templates;
mod tokens;

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use poem::http::StatusCode;
use poem::{Response, Route, get, post, put};
use serde::Deserialize;
use serde_json::{Value, json};

use self::answer::{Errcode, refuse, say};
use self::consents::{GivenConsents, Tap};
use self::settings::{NAME, TwinSettings};
use self::templates::TwinTemplates;
use self::tokens::IssuedTokens;
use crate::env::Env;
use crate::sandbox::call::{TwinCall, endpoint};
use crate::sandbox::control::{done, fault};
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::json::Lenient;
use crate::sandbox::seen::Seen;
use crate::sandbox::shards::{Shards, lock};
use crate::sandbox::{Twin, World};

/// The parameters of a request for an access token.
const CREDENTIALS: [&str; 3] = ["grant_type", "appid", "secret"];
/// The maximum number of templates in one consent dialog.
const MOST_AT_ONCE: usize = 3;

pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let settings = TwinSettings::read(env)?;
    let lifetime = TimeDelta::from_std(settings.token_lifetime).unwrap_or(TimeDelta::hours(2));
    Some(Arc::new(WeChat {
        tokens: IssuedTokens::new(lifetime),
        settings,
        codes: Seen::for_at_least(TimeDelta::days(1)),
        consents: GivenConsents::default(),
        templates: TwinTemplates::default(),
        pages: Mutex::default(),
        under_way: Shards::default(),
    }))
}

struct WeChat {
    settings: TwinSettings,
    tokens: IssuedTokens,
    /// The sign-in codes that were used.
    codes: Seen,
    consents: GivenConsents,
    templates: TwinTemplates,
    /// The published pages; `None` means that every page exists.
    pages: Mutex<Option<Vec<String>>>,
    /// The openids to which a message is being sent.
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

    fn client_settings(&self) -> Vec<(&'static str, String)> {
        self.settings.client_settings()
    }

    fn reset(&self) {
        self.tokens.clear();
        self.codes.clear();
        self.consents.clear();
        *lock(&self.pages) = None;
    }
}

#[derive(Deserialize)]
struct Tapped {
    openid: String,
    templates: Vec<String>,
    answer: Tap,
    /// True for a long-term consent, false for a one-time consent. If missing, the type of the template decides.
    lasting: Option<bool>,
}

impl WeChat {
    async fn stable_token(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let Some(body) = call.json() else { return refuse(47001, "data format error") };
        let force = body.get("force_refresh").and_then(Value::as_bool).unwrap_or(false);
        let issue = || self.tokens.stable(force, world.now());
        self.give_token(&world, "stable_token", CREDENTIALS.map(|name| body.text(name)), issue).await
    }

    async fn classic_token(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let query = call.query();
        let issue = || Ok(self.tokens.classic(world.now()));
        self.give_token(&world, "token", CREDENTIALS.map(|name| query.get(name).to_owned()), issue).await
    }

    async fn give_token(
        &self,
        world: &World,
        operation: &'static str,
        [grant_type, appid, secret]: [String; 3],
        issue: impl FnOnce() -> Result<(String, i64), Errcode> + Send,
    ) -> Response {
        if grant_type != "client_credential" {
            return refuse(40002, "invalid grant_type");
        }
        if let Err(code) = self.settings.check_app(&appid, &secret) {
            return refuse(code, "invalid credential");
        }
        let target = CallTarget { gateway: NAME, operation, recipient: "" };
        let answer = |denial: Option<Denial>| match denial.map_or_else(issue, |_| Err(45011)) {
            Ok((token, left)) => say(&json!({ "access_token": token, "expires_in": left })),
            Err(code) => refuse(code, "reach max api limit"),
        };
        world.perform(target, answer).await
    }

    async fn list_templates(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        if let Err(code) = self.tokens.check(call.query().get("access_token"), world.now()) {
            return refuse(code, "invalid credential");
        }
        let target = CallTarget { gateway: NAME, operation: "gettemplate", recipient: "" };
        let answer = |denial| match denial {
            Some(_) => refuse(45009, "reach max api daily quota limit"),
            None => say(&json!({ "errcode": 0, "errmsg": "ok", "data": self.templates.all() })),
        };
        world.perform(target, answer).await
    }

    async fn tap(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let Ok(Tapped { openid, templates, answer, lasting }) = serde_json::from_slice(&call.body) else {
            return fault(StatusCode::BAD_REQUEST, "openid, templates and answer (accept, reject, switch_off)");
        };
        let known: Option<Vec<_>> = templates.iter().map(|template| self.templates.find(template)).collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else {
            return fault(StatusCode::NOT_FOUND, "20001: no such template");
        };
        let lasting: Vec<bool> = known.iter().map(|known| lasting.unwrap_or(known.lasting)).collect();
        // WeChat shows no dialog for more than three templates. `switch_off` is not limited, because it happens in the
        // settings, which list all templates.
        if answer != Tap::SwitchOff && templates.len() > MOST_AT_ONCE {
            return fault(StatusCode::BAD_REQUEST, "20003: a dialog asks for three templates at most");
        }
        if answer != Tap::SwitchOff && lasting.iter().any(|lasts| *lasts != lasting[0]) {
            return fault(StatusCode::BAD_REQUEST, "20002: a dialog asks for one-time or for long-term templates");
        }
        for (template, lasts) in templates.iter().zip(lasting) {
            self.consents.tap(&openid, template, answer, lasts);
        }
        world.callbacks.post(vec![self.consent_event(&world, &openid, &templates, answer)]);
        done()
    }

    async fn replace_templates(self: Arc<Self>, _: Arc<World>, call: TwinCall) -> Response {
        let Ok(templates) = serde_json::from_slice(&call.body) else {
            return fault(StatusCode::BAD_REQUEST, "a list of {priTmplId, title, content, type}");
        };
        self.templates.replace(templates);
        done()
    }

    async fn replace_pages(self: Arc<Self>, _: Arc<World>, call: TwinCall) -> Response {
        let Ok(pages) = serde_json::from_slice(&call.body) else {
            return fault(StatusCode::BAD_REQUEST, "a list of paths");
        };
        *lock(&self.pages) = Some(pages);
        done()
    }

    async fn expire_tokens(self: Arc<Self>, world: Arc<World>, _: TwinCall) -> Response {
        self.tokens.expire(world.now());
        done()
    }
}

#[cfg(test)]
mod tests;
