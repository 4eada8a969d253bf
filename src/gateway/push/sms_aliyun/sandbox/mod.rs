//! Simulates Alibaba Cloud SMS in the sandbox. Like the real service, it delivers every copy of a message, and lists
//! messages by phone number and day. For each message it sends a receipt, which reports whether the message arrived.
//! Until Songda accepts the receipt, it is repeated a few times.

mod sent;

use std::collections::BTreeMap;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Response, Route};
use serde_json::{Value, json};

use self::sent::{AcceptedSms, NAME};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::sandbox::acs3::{Verifier, refuse, request_id};
use crate::sandbox::call::{self, Fields, TwinCall, endpoint};
use crate::sandbox::faults::{CallTarget, Denial};
use crate::sandbox::phones::IncomingMessage;
use crate::sandbox::shards::Shards;
use crate::sandbox::written_time::{day, second};
use crate::sandbox::{Twin, World};

const VERSION: &str = "2017-05-25";

pub fn twin(env: &mut Env) -> Option<Arc<dyn Twin>> {
    let key_id = env.or("SONGDA_SANDBOX_SMS_ACCESS_KEY_ID", "sandbox-sms-key", "AccessKey id of SMS callers");
    let secret = env.or("SONGDA_SANDBOX_SMS_SECRET", "sandbox-sms-secret", "AccessKey secret of SMS callers");
    let sign = env.optional("SONGDA_SANDBOX_SMS_SIGN_NAME", "the one approved SMS signature (签名); unset: any");
    Some(Arc::new(Sms {
        verifier: Verifier::new(key_id?, Private::new(secret?)),
        sign_name: sign,
        sent: Shards::default(),
    }))
}

struct Sms {
    verifier: Verifier,
    sign_name: Option<String>,
    sent: Shards<Vec<AcceptedSms>>,
}

impl Twin for Sms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/", endpoint(&self, world, Self::answer))
    }

    fn client_settings(&self) -> Vec<(&'static str, String)> {
        let [key_id, secret] = self.verifier.access_key().map(str::to_owned);
        let sign_name = self.sign_name.clone().unwrap_or_else(|| "金坛政务".to_owned());
        vec![
            ("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", key_id),
            ("SONGDA_SMS_ALIYUN_SECRET", secret),
            ("SONGDA_SMS_ALIYUN_SIGN_NAME", sign_name),
            ("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", "SMS_100000000".to_owned()),
        ]
    }

    fn reset(&self) {
        self.verifier.clear();
        self.sent.clear();
    }
}

impl Sms {
    async fn answer(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let fields = match self.verifier.admit(NAME, &world, &call) {
            Ok(fields) => fields,
            Err(rejection) => return rejection.answer(),
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
        let answer = |denial| match denial {
            None => self.deliver(world, fields, variables),
            Some(denial) => refused(denial),
        };
        world.perform(CallTarget { gateway: NAME, operation: "SendSms", recipient: phone }, answer).await
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

    /// Delivers a message, even if the same message was delivered before, and sends its receipt. If the simulated fault
    /// `undelivered` applies, the message is accepted but does not arrive.
    fn deliver(&self, world: &World, fields: &Fields, variables: BTreeMap<String, String>) -> Response {
        let phone = fields.get("PhoneNumbers").to_owned();
        let at = world.now();
        let sent = AcceptedSms {
            phone: phone.clone(),
            template: fields.get("TemplateCode").to_owned(),
            content: format!("【{}】{}", fields.get("SignName"), fields.get("TemplateParam")),
            out_id: fields.get("OutId").to_owned(),
            biz_id: format!("{}^0", world.next_number()),
            arrived: !world.faults.strike_delivery(NAME, &phone),
            at,
        };
        self.sent.with(&phone, |shard| shard.entry(phone.clone()).or_default().push(sent.clone()));
        world.callbacks.post(vec![sent.receipt(world)]);
        let AcceptedSms { template, out_id, biz_id, arrived, .. } = sent;
        if !arrived {
            return say("OK", json!({ "BizId": biz_id }));
        }
        let key = Some(out_id).filter(|out_id| !out_id.is_empty());
        let reference = biz_id.clone();
        let message = IncomingMessage { channel: NAME, address: phone, template, fields: variables, key, reference };
        world.phones.deliver(message, at);
        say("OK", json!({ "BizId": biz_id }))
    }

    async fn find(&self, world: &World, fields: &Fields) -> Response {
        let phone = fields.get("PhoneNumber");
        let biz_id = fields.get("BizId");
        let number = |name: &str| fields.get(name).parse::<usize>().ok().filter(|number| *number > 0);
        let (Some(size), Some(page)) = (number("PageSize").filter(|size| *size <= 50), number("CurrentPage")) else {
            return say("isv.INVALID_PARAMETERS", json!({}));
        };
        let answer = |denial| {
            if let Some(denial) = denial {
                return refused(denial);
            }
            let found: Vec<AcceptedSms> = self
                .sent
                .get(phone)
                .unwrap_or_default()
                .into_iter()
                .filter(|sent| day(sent.at) == fields.get("SendDate") && (biz_id.is_empty() || sent.biz_id == biz_id))
                .collect();
            let shown: Vec<Value> = found.iter().skip((page - 1) * size).take(size).map(detail).collect();
            say("OK", json!({ "TotalCount": found.len(), "SmsSendDetailDTOs": { "SmsSendDetailDTO": shown } }))
        };
        world.perform(CallTarget { gateway: NAME, operation: "QuerySendDetails", recipient: phone }, answer).await
    }
}

fn detail(sent: &AcceptedSms) -> Value {
    json!({
        "PhoneNum": sent.phone, "SendStatus": if sent.arrived { 3 } else { 2 }, "ErrCode": sent.code(),
        "TemplateCode": sent.template, "Content": sent.content, "SendDate": second(sent.at), "ReceiveDate": second(sent.at), "OutId": sent.out_id,
    })
}

fn refused(denial: Denial) -> Response {
    match denial {
        Denial::ExpiredToken => refuse(StatusCode::BAD_REQUEST, "InvalidSecurityToken.Expired"),
        Denial::Throttled => refuse(StatusCode::BAD_REQUEST, "Throttling.User"),
        Denial::UserRefused => say("isv.CUSTOMER_REFUSED", json!({})),
        Denial::UnknownNumber => say("isv.MOBILE_NUMBER_ILLEGAL", json!({})),
    }
}

/// Builds an answer of the service. The HTTP status is 200 for every code.
fn say(code: &str, mut more: Value) -> Response {
    more["Code"] = code.into();
    more["Message"] = if code == "OK" { "OK".into() } else { format!("{code} (sandbox)").into() };
    more["RequestId"] = request_id().into();
    call::json(StatusCode::OK, &more)
}

#[cfg(test)]
mod tests;
