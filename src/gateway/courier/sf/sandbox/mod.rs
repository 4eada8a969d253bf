//! Simulates SF Express in the sandbox: orders, queries, cancellations and labels on SF's open platform, and callbacks
//! with new scans.
//!
//! If the recipient's county contains 不派送, SF does not deliver there (`filterResult` 3). If the address contains 待核, an
//! employee checks it (`filterResult` 1) until `POST /_sandbox/sf/checks` sets the result. The phone `000` is refused
//! (8196). `SONGDA_SANDBOX_SF_DUPLICATE` decides whether a repeated order is refused (8016) or gets the first answer
//! again, because SF's own documents contradict each other.

mod answer;
mod caller_check;
mod checks;
mod digest;
mod push;
mod route;
mod services;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route, get, post};

use self::answer::{ServiceRefusal, platform, service};
use self::caller_check::CallerCheck;
use self::checks::Checks;
use self::route::NAME;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::call::{TwinCall, endpoint};
use crate::sandbox::control::{done, fault};
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::json::Lenient;
use crate::sandbox::label;
use crate::sandbox::parcels::RepeatedOrder;
use crate::sandbox::{Moved, Twin, World};

pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let partner = env.or("SONGDA_SANDBOX_SF_PARTNER_ID", "SANDBOX", "customer code of SF callers");
    let check_word =
        env.or("SONGDA_SANDBOX_SF_CHECK_WORD", "SandboxCheckWord0123456789abcdef", "check word of SF callers");
    let repeated =
        env.or("SONGDA_SANDBOX_SF_DUPLICATE", "8016", "answer to a repeated SF order: `8016`, or the `same` answer");
    let rate = env.or("SONGDA_SANDBOX_SF_RATE", "30", "how many calls a second each SF service takes");
    Some(Arc::new(Sf {
        check: CallerCheck::new(partner?, Private::new(check_word?), rate?),
        repeated: repeated?,
        checks: Checks::default(),
    }))
}

struct Sf {
    check: CallerCheck,
    repeated: RepeatedOrder,
    checks: Checks,
}

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

    fn client_settings(&self) -> Vec<(&'static str, String)> {
        let [partner, check_word] = self.check.credentials().map(str::to_owned);
        vec![
            ("SONGDA_SF_PARTNER_ID", partner),
            ("SONGDA_SF_CHECK_WORD", check_word),
            ("SONGDA_SF_MONTHLY_CARD", "7551234567".to_owned()),
        ]
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        world.callbacks.post(push::callbacks(world, moved));
    }

    fn reset(&self) {
        self.check.clear();
        self.checks.clear();
    }
}

impl Sf {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let form = call.form();
        let said = match self.check.pass(&form, world.now()) {
            Ok(said) => said,
            Err(code) => {
                world.counters.count(NAME, code);
                return platform(code, "sandbox");
            }
        };
        let name = form.get("serviceCode");
        let recipient = Self::recipient_of(&world, &said);
        let answer = |denial| match denial {
            None => match self.serve(&world, &call, name, &said) {
                Some(outcome) => service(outcome),
                None => platform("A1004", "没有此服务的权限"),
            },
            Some(Denial::Throttled) => platform("A1005", "超出流量限制"),
            Some(Denial::ExpiredToken) => platform("A1011", "OAuth2 认证失败"),
            Some(Denial::UserRefused) => service(Ok(Self::not_deliverable(&said.text("orderId")))),
            Some(Denial::UnknownNumber) => service(Err(ServiceRefusal("8196", "电话号码异常"))),
        };
        world.perform(CallTarget { gateway: NAME, operation: name, recipient: &recipient }, answer).await
    }

    async fn end_check(self: Arc<Self>, _: Arc<World>, call: TwinCall) -> Response {
        match serde_json::from_slice(&call.body) {
            Ok(finding) if self.checks.end(&finding) => done(),
            Ok(_) => fault(StatusCode::NOT_FOUND, "no such order is under check"),
            Err(_) => fault(StatusCode::BAD_REQUEST, "order_no and deliverable"),
        }
    }

    /// Answers with the label file if the caller sends its token.
    async fn label_file(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let waybill = call.path.rsplit('/').next().unwrap_or_default();
        let known = world.parcels.of_waybill(NAME, waybill);
        match known.filter(|_| call.header("x-auth-token") == self.check.label_token(waybill)) {
            Some(parcel) => {
                let file = label::pdf(&["SF EXPRESS", &parcel.waybill, &parcel.order_no]);
                Response::builder().content_type("application/pdf").body(file)
            }
            None => StatusCode::FORBIDDEN.into(),
        }
    }
}

#[cfg(test)]
mod tests;
