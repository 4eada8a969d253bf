//! SF Express (顺丰), played: the digest, the three layers of its answers, orders and all that is asked about them,
//! labels, and the push of routes.
//!
//! A recipient's county that contains 不派送 is not delivered to (`filterResult` 3); an address that contains 待核 is checked by
//! hand first (1), until `POST /_sandbox/sf/checks` says what is found; the phone `000` is refused (8196). A repeated order number gets 8016, or the first answer again, as `SONGDA_SANDBOX_SF_DUPLICATE` says:
//! SF's own documents differ in this.

mod checks;
mod digest;
mod door;
mod push;
mod services;

use std::str::FromStr;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route, get, post};
use serde_json::{Value, json};

use self::checks::Checks;
use self::door::Door;
use crate::domain::kernel::clock::{Instant, beijing, random_bytes};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::call::{self, Call, endpoint};
use crate::sandbox::control::{done, fault};
use crate::sandbox::faults::Refusal;
use crate::sandbox::json::Lenient;
use crate::sandbox::label;
use crate::sandbox::parcels::Station;
use crate::sandbox::world::Target;
use crate::sandbox::{Moved, Twin, World};

const NAME: &str = "sf";

const WAY: &[Station] = &[
    ("50", "顺丰速运 已收取快件"),
    ("36", "快件在运输途中"),
    ("31", "快件到达中转场"),
    ("44", "快件到达派送网点,正在分配快递员"),
    ("204", "快递员正在派送途中"),
    ("80", "已签收,感谢使用顺丰"),
    ("8000", "在官网可查看签收人信息"),
];

/// What a repeated order number gets.
#[derive(Clone, Copy, PartialEq)]
enum Duplicate {
    Same,
    Refuse,
}

impl FromStr for Duplicate {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "same" => Ok(Self::Same),
            "8016" => Ok(Self::Refuse),
            _ => Err(()),
        }
    }
}

/// Makes the twin.
pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let partner = env.or("SONGDA_SANDBOX_SF_PARTNER_ID", "SANDBOX", "customer code of SF callers");
    let check_word =
        env.or("SONGDA_SANDBOX_SF_CHECK_WORD", "SandboxCheckWord0123456789abcdef", "check word of SF callers");
    let callback_secret =
        env.or("SONGDA_SANDBOX_SF_CALLBACK_SECRET", "sandbox", "secret last part of the path of SF's callbacks");
    let duplicate =
        env.or("SONGDA_SANDBOX_SF_DUPLICATE", "8016", "what a repeated SF order gets: `8016`, or the `same` answer");
    let rate = env.or("SONGDA_SANDBOX_SF_RATE", "30", "how many calls a second each SF service takes");
    Some(Arc::new(Sf {
        door: Door::new(partner?, Private::new(check_word?), rate?),
        callback_secret: Private::new(callback_secret?),
        duplicate: duplicate?,
        checks: Checks::default(),
    }))
}

struct Sf {
    door: Door,
    callback_secret: Private<String>,
    duplicate: Duplicate,
    checks: Checks,
}

/// An inner code and its words.
struct Refused(&'static str, &'static str);

impl Twin for Sf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new()
            .at("/std/service", post(endpoint(&self, world, Self::answer)))
            .at("/files/:waybill", get(endpoint(&self, world, Self::label_file)))
    }

    fn controls(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/checks", post(endpoint(&self, world, Self::end_check)))
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        self.push(world, moved);
    }

    fn reset(&self) {
        self.door.clear();
        self.checks.clear();
    }
}

impl Sf {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let form = call.form();
        let said = match self.door.pass(&form, world.now()) {
            Ok(said) => said,
            Err(code) => {
                world.counters.count(NAME, code);
                return platform(code, "sandbox");
            }
        };
        let service = form.get("serviceCode");
        let recipient = self.recipient_of(&world, &said);
        let answer = |refusal| match refusal {
            None => match self.serve(&world, &call, service, &said) {
                Some(Ok(data)) => inner(Ok(data)),
                Some(Err(refused)) => inner(Err(refused)),
                None => platform("A1004", "没有此服务的权限"),
            },
            Some(Refusal::Throttled) => platform("A1005", "超出流量限制"),
            Some(Refusal::ExpiredToken) => platform("A1011", "OAuth2 认证失败"),
            Some(Refusal::UserRefused) => inner(Ok(services::not_deliverable(&said.text("orderId")))),
            Some(Refusal::UnknownNumber) => inner(Err(Refused("8196", "电话号码异常"))),
        };
        world.perform(Target { gateway: NAME, operation: service, recipient: &recipient }, answer).await
    }

    async fn end_check(self: Arc<Self>, _: Arc<World>, call: Call) -> Response {
        match serde_json::from_slice(&call.body) {
            Ok(finding) if self.checks.end(&finding) => done(),
            Ok(_) => fault(StatusCode::NOT_FOUND, "no such order is under check"),
            Err(_) => fault(StatusCode::BAD_REQUEST, "order_no and deliverable"),
        }
    }

    /// The printed label, for those who have its token.
    async fn label_file(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let waybill = call.path.rsplit('/').next().unwrap_or_default();
        let known = world.parcels.of_waybill(NAME, waybill);
        match known.filter(|_| call.header("x-auth-token") == self.door.label_token(waybill)) {
            Some(parcel) => {
                let file = label::pdf(&["SF EXPRESS", &parcel.waybill, &parcel.order_no]);
                Response::builder().content_type("application/pdf").body(file)
            }
            None => StatusCode::FORBIDDEN.into(),
        }
    }
}

/// The platform's own answer: the service was not reached.
fn platform(code: &str, words: &str) -> Response {
    envelope(code, words, String::new())
}

/// The service's answer, inside the platform's.
fn inner(outcome: Result<Value, Refused>) -> Response {
    let data = match outcome {
        Ok(data) if data.get("obj").is_some() => data,
        Ok(data) => json!({ "success": true, "errorCode": "S0000", "errorMsg": null, "msgData": data }),
        Err(Refused(code, words)) => json!({ "success": false, "errorCode": code, "errorMsg": words, "msgData": null }),
    };
    envelope("A1000", "", data.to_string())
}

fn envelope(code: &str, words: &str, data: String) -> Response {
    let id = hex::encode_upper(random_bytes::<16>());
    let answer = json!({ "apiErrorMsg": words, "apiResponseID": id, "apiResultCode": code, "apiResultData": data });
    call::json(StatusCode::OK, &answer)
}

fn second(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
