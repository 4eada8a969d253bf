//! Alibaba Cloud SMS, played: ACS3 signatures checked, messages delivered as often as they are asked for (the real
//! one knows no idempotency either), look-ups by number and day, receipts pushed and pushed again.

mod receipt;

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route};
use serde_json::{Value, json};

use crate::domain::kernel::clock::{Instant, beijing};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::acs3::{Verifier, refuse, request_id};
use crate::sandbox::call::{self, Call, Fields, endpoint};
use crate::sandbox::faults::Refusal;
use crate::sandbox::phones::Delivery;
use crate::sandbox::shards::Shards;
use crate::sandbox::world::Target;
use crate::sandbox::{Twin, World};

const NAME: &str = "sms_aliyun";
const VERSION: &str = "2017-05-25";

/// Makes the twin.
pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let key_id = env.or("SONGDA_SANDBOX_SMS_ACCESS_KEY_ID", "sandbox-sms-key", "AccessKey id of SMS callers");
    let secret = env.or("SONGDA_SANDBOX_SMS_SECRET", "sandbox-sms-secret", "AccessKey secret of SMS callers");
    let sign = env.optional("SONGDA_SANDBOX_SMS_SIGN_NAME", "the one approved SMS signature (签名); unset: any");
    let callback_secret =
        env.or("SONGDA_SANDBOX_SMS_CALLBACK_SECRET", "sandbox", "secret last part of the path of SMS receipts");
    Some(Arc::new(Sms {
        verifier: Verifier::new(key_id?, Private::new(secret?)),
        sign_name: sign,
        callback_secret: Private::new(callback_secret?),
        sent: Shards::default(),
    }))
}

struct Sms {
    verifier: Verifier,
    sign_name: Option<String>,
    callback_secret: Private<String>,
    /// What was sent, by number.
    sent: Shards<Vec<Sent>>,
}

/// A message that was sent.
#[derive(Clone)]
struct Sent {
    phone: String,
    template: String,
    content: String,
    out_id: String,
    biz_id: String,
    arrived: bool,
    at: Instant,
}

impl Sent {
    /// What receipts and look-ups say of it.
    const fn code(&self) -> &'static str {
        if self.arrived { "DELIVERED" } else { "USER_REJECT" }
    }
}

impl Twin for Sms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/", endpoint(&self, world, Self::answer))
    }

    fn reset(&self) {
        self.verifier.clear();
        self.sent.clear();
    }
}

impl Sms {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: Call) -> Response {
        let fields = match self.verifier.check(&call, world.now()) {
            Ok(fields) => fields,
            Err(turned) => {
                world.counters.count(NAME, &format!("{turned:?}"));
                return turned.answer();
            }
        };
        match (call.header("x-acs-version"), call.header("x-acs-action")) {
            (VERSION, "SendSms") => self.send(&world, &fields).await,
            (VERSION, "QuerySendDetails") => self.find(&world, &fields).await,
            (VERSION, _) => refuse(StatusCode::NOT_FOUND, "InvalidAction.NotFound"),
            _ => refuse(StatusCode::BAD_REQUEST, "InvalidVersion"),
        }
    }

    async fn send(&self, world: &World, fields: &Fields) -> Response {
        let phone = fields.get("PhoneNumbers");
        let variables = match self.check_message(fields) {
            Ok(variables) => variables,
            Err(code) => return say(code, json!({})),
        };
        let answer = |refusal| match refusal {
            None => self.deliver(world, fields, variables),
            Some(refusal) => refused(refusal),
        };
        world.perform(Target { gateway: NAME, operation: "SendSms", recipient: phone }, answer).await
    }

    fn check_message(&self, fields: &Fields) -> Result<BTreeMap<String, String>, &'static str> {
        let phone = fields.get("PhoneNumbers");
        let is_mobile = phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|c| c.is_ascii_digit());
        if phone.contains(',') {
            return Err("isv.MOBILE_COUNT_OVER_LIMIT");
        }
        if !is_mobile {
            return Err("isv.MOBILE_NUMBER_ILLEGAL");
        }
        let sign = fields.get("SignName");
        if sign.is_empty() || self.sign_name.as_ref().is_some_and(|known| known != sign) {
            return Err("isv.SMS_SIGNATURE_ILLEGAL");
        }
        if !fields.get("TemplateCode").starts_with("SMS_") {
            return Err("isv.SMS_TEMPLATE_ILLEGAL");
        }
        let variables = match fields.get("TemplateParam") {
            "" => BTreeMap::new(),
            text => serde_json::from_str(text).map_err(|_| "isv.INVALID_JSON_PARAM")?,
        };
        if variables.values().any(|value: &String| value.contains("://") || value.contains("www.")) {
            return Err("isv.PARAM_NOT_SUPPORT_URL");
        }
        Ok(variables)
    }

    /// Delivers, however often the same was delivered before.
    fn deliver(&self, world: &World, fields: &Fields, variables: BTreeMap<String, String>) -> Response {
        let (phone, at) = (fields.get("PhoneNumbers").to_owned(), world.now());
        let sent = Sent {
            phone: phone.clone(),
            template: fields.get("TemplateCode").to_owned(),
            content: format!("【{}】{}", fields.get("SignName"), fields.get("TemplateParam")),
            out_id: fields.get("OutId").to_owned(),
            biz_id: format!("{}^0", world.next_number()),
            arrived: !world.faults.strike_delivery(NAME, &phone),
            at,
        };
        self.sent.with(&phone, |piece| piece.entry(phone.clone()).or_default().push(sent.clone()));
        world.callbacks.post(vec![receipt::of(&sent, self.callback_secret.expose())]);
        let Sent { template, out_id, biz_id, arrived, .. } = sent;
        if !arrived {
            return say("OK", json!({ "BizId": biz_id }));
        }
        let key = Some(out_id).filter(|out_id| !out_id.is_empty());
        let reference = biz_id.clone();
        let delivery = Delivery { channel: NAME, address: phone, template, fields: variables, key, reference };
        world.phones.deliver(delivery, at);
        say("OK", json!({ "BizId": biz_id }))
    }

    async fn find(&self, world: &World, fields: &Fields) -> Response {
        let (phone, biz_id) = (fields.get("PhoneNumber"), fields.get("BizId"));
        let number = |name: &str| fields.get(name).parse::<usize>().ok().filter(|number| *number > 0);
        let (Some(size), Some(page)) = (number("PageSize").filter(|size| *size <= 50), number("CurrentPage")) else {
            return say("isv.INVALID_PARAMETERS", json!({}));
        };
        let answer = |refusal| {
            if let Some(refusal) = refusal {
                return refused(refusal);
            }
            let found: Vec<Sent> = self
                .sent
                .get(phone)
                .unwrap_or_default()
                .into_iter()
                .filter(|sent| day(sent.at) == fields.get("SendDate") && (biz_id.is_empty() || sent.biz_id == biz_id))
                .collect();
            let shown: Vec<Value> = found.iter().skip((page - 1) * size).take(size).map(detail).collect();
            say("OK", json!({ "TotalCount": found.len(), "SmsSendDetailDTOs": { "SmsSendDetailDTO": shown } }))
        };
        world.perform(Target { gateway: NAME, operation: "QuerySendDetails", recipient: phone }, answer).await
    }
}

fn detail(sent: &Sent) -> Value {
    json!({
        "PhoneNum": sent.phone, "SendStatus": if sent.arrived { 3 } else { 2 }, "ErrCode": sent.code(),
        "TemplateCode": sent.template,
        "Content": sent.content, "SendDate": second(sent.at), "ReceiveDate": second(sent.at), "OutId": sent.out_id,
    })
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::ExpiredToken => refuse(StatusCode::BAD_REQUEST, "InvalidSecurityToken.Expired"),
        Refusal::Throttled => refuse(StatusCode::BAD_REQUEST, "Throttling.User"),
        Refusal::UserRefused => say("isv.CUSTOMER_REFUSED", json!({})),
        Refusal::UnknownNumber => say("isv.MOBILE_NUMBER_ILLEGAL", json!({})),
    }
}

/// An answer of the service itself: the status is 200 whatever the code.
fn say(code: &str, mut more: Value) -> Response {
    more["Code"] = code.into();
    more["Message"] = if code == "OK" { "OK".into() } else { format!("{code} (sandbox)").into() };
    more["RequestId"] = request_id().into();
    call::json(StatusCode::OK, &more)
}

fn day(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y%m%d").to_string()
}

fn second(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
