//! Alibaba Cloud's identity check (`Id2MetaVerify`), played: every well-formed pair of name and number matches, but
//! for names that contain 不符 (they do not belong together) or 查无 (the register has no such number).

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route};
use serde_json::json;

use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::acs3::{Verifier, refuse, request_id};
use crate::sandbox::call::{self, Call, endpoint};
use crate::sandbox::faults::Refusal;
use crate::sandbox::world::Target;
use crate::sandbox::{Twin, World};

const NAME: &str = "identity";
const ACTION: &str = "Id2MetaVerify";
const VERSION: &str = "2019-03-07";

/// Makes the twin.
pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let key_id = "SONGDA_SANDBOX_IDENTITY_ACCESS_KEY_ID";
    let key_id = env.or(key_id, "sandbox-identity-key", "AccessKey id of callers of the identity check");
    let secret = "SONGDA_SANDBOX_IDENTITY_SECRET";
    let secret = env.or(secret, "sandbox-identity-secret", "AccessKey secret of callers of the identity check");
    Some(Arc::new(Identity { verifier: Verifier::new(key_id?, Private::new(secret?)) }))
}

struct Identity {
    verifier: Verifier,
}

impl Twin for Identity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/", endpoint(&self, world, Self::answer))
    }

    fn reset(&self) {
        self.verifier.clear();
    }
}

impl Identity {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let fields = match self.verifier.check(&call, world.now()) {
            Ok(fields) => fields,
            Err(turned) => {
                world.counters.count(NAME, &format!("{turned:?}"));
                return turned.answer();
            }
        };
        if (call.header("x-acs-version"), call.header("x-acs-action")) != (VERSION, ACTION) {
            return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
        }
        let (name, number) = (fields.get("UserName"), fields.get("IdentifyNum"));
        if fields.get("ParamType") != "normal" || name.is_empty() || !has_the_form(number) {
            return say("401", "参数非法", None);
        }
        let verdict = |refusal| match refusal {
            Some(Refusal::ExpiredToken) => refuse(StatusCode::BAD_REQUEST, "InvalidSecurityToken.Expired"),
            Some(Refusal::Throttled) => refuse(StatusCode::BAD_REQUEST, "Throttling.User"),
            Some(Refusal::UserRefused) => say("200", "success", Some("2")),
            Some(Refusal::UnknownNumber) => say("200", "success", Some("3")),
            None => say("200", "success", Some(of_name(name))),
        };
        world.perform(Target { gateway: NAME, operation: ACTION, recipient: name }, verdict).await
    }
}

/// 1: they belong together; 2: they do not; 3: no such number.
fn of_name(name: &str) -> &'static str {
    if name.contains("不符") {
        "2"
    } else if name.contains("查无") {
        "3"
    } else {
        "1"
    }
}

/// Seventeen digits, and a digit or `X`.
fn has_the_form(number: &str) -> bool {
    number.len() == 18 && number.bytes().enumerate().all(|(place, c)| c.is_ascii_digit() || (place == 17 && c == b'X'))
}

fn say(code: &str, message: &str, verdict: Option<&str>) -> Response {
    let mut answer = json!({ "Code": code, "Message": message, "RequestId": request_id() });
    if let Some(verdict) = verdict {
        answer["ResultObject"] = json!({ "BizCode": verdict });
    }
    call::json(StatusCode::OK, &answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::acs3::signer::Signer;
    use crate::sandbox::{Sandbox, Settings};

    #[tokio::test]
    async fn the_name_decides() {
        let running = Sandbox::start(Settings::for_tests(&[twin])).await.unwrap();
        let signer = Signer::new(&running.url(NAME), "sandbox-identity-key", "sandbox-identity-secret");
        for (name, code, verdict) in
            [("张三", "200", "1"), ("张不符", "200", "2"), ("张查无", "200", "3"), ("", "401", "")]
        {
            let form = [("ParamType", "normal"), ("UserName", name), ("IdentifyNum", "320413201603070016")];
            let (status, answer) = signer.post(ACTION, VERSION, &form).await;
            assert_eq!((status, answer["Code"].as_str().unwrap()), (200, code), "{name}");
            assert_eq!(answer["ResultObject"]["BizCode"].as_str().unwrap_or_default(), verdict, "{name}");
        }
        let stranger = Signer::new(&running.url(NAME), "sandbox-identity-key", "guessed");
        let (status, answer) = stranger.post(ACTION, VERSION, &[("ParamType", "normal")]).await;
        assert_eq!((status, answer["Code"].as_str().unwrap()), (400, "SignatureDoesNotMatch"));
    }
}
