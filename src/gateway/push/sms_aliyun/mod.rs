//! Alibaba Cloud SMS (阿里云短信). The address is the phone number.
//!
//! The service does not recognise repeated messages: it delivers each of them. So after an attempt of unknown outcome,
//! the worker looks the message up by our key (`OutId`) before it sends the message again.

mod find;
mod patterns;
mod receipt;
#[cfg(feature = "development")]
pub mod sandbox;
mod send;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, PushMessage};
use crate::domain::notice::reach::AddressKind;
use crate::env::Env;
use crate::gateway::shared::acs3::Credentials;
use crate::gateway::shared::aliyun::{self, Rpc};
use crate::gateway::shared::http::{Http, HttpNames};
use crate::gateway::shared::probe::Probe;

use super::{
    Acknowledgement, CallbackAccess, CallbackFault, CallbackNames, ChannelAdapter, Found, PushChannel, PushNews,
    PushReport, RawCallback, Repeat,
};

pub const ADAPTER: ChannelAdapter = ChannelAdapter { code: "sms_aliyun", build, field_fault: patterns::fault };

const VERSION: &str = "2017-05-25";

const HTTP: HttpNames = HttpNames {
    base_url: "SONGDA_SMS_ALIYUN_URL",
    default_url: "https://dysmsapi.aliyuncs.com",
    timeout: "SONGDA_SMS_ALIYUN_TIMEOUT",
};

/// The service allows about five thousand calls a second. A slot is one simultaneous call. The default number of slots
/// is as many as one process can use.
const PACE: PaceNames = PaceNames {
    rate: "SONGDA_SMS_ALIYUN_RATE",
    default_rate: "5000",
    slots: "SONGDA_SMS_ALIYUN_SLOTS",
    default_slots: "64",
};

const CALLBACKS: CallbackNames = CallbackNames {
    secret: "SONGDA_SMS_ALIYUN_CALLBACK_SECRET",
    previous: "SONGDA_SMS_ALIYUN_CALLBACK_SECRET_PREVIOUS",
    sources: "SONGDA_SMS_ALIYUN_CALLBACK_SOURCES",
};

struct SmsAliyun {
    code: ChannelCode,
    pace: Pace,
    rpc: Rpc,
    /// The approved signature (签名) that opens every message.
    sign_name: String,
    login_template: String,
    callbacks: CallbackAccess,
    clock: Clock,
}

fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn PushChannel>> {
    if !env.or::<bool>("SONGDA_SMS_ALIYUN_ENABLED", "true", "`true`: SMS are sent through Alibaba Cloud")? {
        return None;
    }
    let http = Http::read(env, &HTTP);
    let pace = Pace::read(env, &PACE);
    let key_id = env.required("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "AccessKey id for Alibaba Cloud SMS");
    let secret = env.secret("SONGDA_SMS_ALIYUN_SECRET", "AccessKey secret for Alibaba Cloud SMS");
    let sign_name = env.required("SONGDA_SMS_ALIYUN_SIGN_NAME", "approved signature (签名) of the messages");
    let login_template = "approved template for sign-in codes, with the one variable `code`";
    let login_template = env.required("SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE", login_template);
    let callbacks = CallbackAccess::read(env, &CALLBACKS);
    let credentials = Credentials { key_id: key_id?, secret: secret? };
    Some(Arc::new(SmsAliyun {
        code: ChannelCode::new(ADAPTER.code),
        pace: pace?,
        rpc: Rpc { http: http?, version: VERSION, credentials, clock: clock.clone() },
        sign_name: sign_name?,
        login_template: login_template?,
        callbacks: callbacks?,
        clock: clock.clone(),
    }))
}

#[async_trait]
impl PushChannel for SmsAliyun {
    fn code(&self) -> &ChannelCode {
        &self.code
    }

    fn address_kind(&self) -> AddressKind {
        AddressKind::Phone
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn repeat(&self) -> Repeat {
        Repeat::AskFirst
    }

    async fn send(&self, to: &Private<String>, message: &PushMessage) -> PushReport {
        let template_param = send::template_param(message);
        let parameters = [
            ("PhoneNumbers", to.expose().as_str()),
            ("SignName", self.sign_name.as_str()),
            ("TemplateCode", message.template.as_str()),
            ("TemplateParam", template_param.as_str()),
            ("OutId", message.key.as_str()),
        ];
        send::understand(self.rpc.call("SendSms", &parameters).await, self.clock.now())
    }

    /// The time-out of one call, and also of a whole look-up with all its pages.
    fn time_limit(&self) -> Duration {
        self.rpc.http.time_limit()
    }

    async fn find(&self, to: &Private<String>, key: &str, handed_over: &[Instant]) -> Found {
        let search = find::find(&self.rpc, to, key, handed_over);
        tokio::time::timeout(self.time_limit(), search).await.unwrap_or(Found::Unknown)
    }

    async fn probe(&self) -> Probe {
        aliyun::probe(find::probe(&self.rpc, self.clock.now()).await)
    }

    fn login_template(&self) -> Option<&str> {
        Some(&self.login_template)
    }

    fn callback_access(&self) -> Option<&CallbackAccess> {
        Some(&self.callbacks)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        receipt::read(call.body.expose())
    }

    fn acknowledge(&self, taken: bool) -> Acknowledgement {
        let (status, body) =
            if taken { (200, r#"{"code":0,"msg":"ok"}"#) } else { (503, r#"{"code":1,"msg":"try again"}"#) };
        Acknowledgement { status, content_type: "application/json", body: body.to_owned() }
    }
}

#[cfg(test)]
mod tests;
