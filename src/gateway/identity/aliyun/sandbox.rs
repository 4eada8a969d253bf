//! Simulates Alibaba Cloud's real-name check (`Id2MetaVerify`) in the sandbox. Every name matches every well-formed
//! number, with two exceptions. If the name contains 不符, the number belongs to another name. If it contains 查无, the
//! register has no such number.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route};
use serde_json::json;

use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::acs3::{Verifier, refuse, request_id};
use crate::sandbox::call::{self, TwinCall, endpoint};
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::{Twin, World};

const NAME: &str = "identity";
const ACTION: &str = "Id2MetaVerify";
const VERSION: &str = "2019-03-07";

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

    fn calls_back(&self) -> bool {
        false
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/", endpoint(&self, world, Self::answer))
    }

    fn client_settings(&self) -> Vec<(&'static str, String)> {
        let [key_id, secret] = self.verifier.access_key().map(str::to_owned);
        vec![("SONGDA_IDENTITY_ACCESS_KEY_ID", key_id), ("SONGDA_IDENTITY_SECRET", secret)]
    }

    fn reset(&self) {
        self.verifier.clear();
    }
}

impl Identity {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let fields = match self.verifier.admit(NAME, &world, &call) {
            Ok(fields) => fields,
            Err(rejection) => return rejection.answer(),
        };
        if (call.header("x-acs-version"), call.header("x-acs-action")) != (VERSION, ACTION) {
            return refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound");
        }
        let name = fields.get("UserName");
        let number = fields.get("IdentifyNum");
        if fields.get("ParamType") != "normal" || name.is_empty() || !is_well_formed(number) {
            return say("401", "参数非法", None);
        }
        let verdict = |denial| match denial {
            Some(Denial::ExpiredToken) => refuse(StatusCode::BAD_REQUEST, "InvalidSecurityToken.Expired"),
            Some(Denial::Throttled) => refuse(StatusCode::BAD_REQUEST, "Throttling.User"),
            Some(Denial::UserRefused) => say("200", "success", Some("2")),
            Some(Denial::UnknownNumber) => say("200", "success", Some("3")),
            None => say("200", "success", Some(of_name(name))),
        };
        world.perform(CallTarget { gateway: NAME, operation: ACTION, recipient: name }, verdict).await
    }
}

/// Returns the `BizCode` for a name. 1: name and number belong together; 2: they do not; 3: no such number exists.
fn of_name(name: &str) -> &'static str {
    if name.contains("不符") {
        "2"
    } else if name.contains("查无") {
        "3"
    } else {
        "1"
    }
}

/// True for seventeen digits that are followed by another digit or by `X`.
fn is_well_formed(number: &str) -> bool {
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
    use crate::sandbox::client::running;

    #[tokio::test]
    async fn the_name_chooses_the_result() {
        let running = running(twin, &[], None).await;
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
