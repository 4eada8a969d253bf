//! Alibaba Cloud SMS (阿里云短信). The address is the phone number.
//!
//! The service swallows no second copy: a message of unknown outcome is asked for by our key (`OutId`) before it is
//! sent again, or its receipt is awaited.

mod find;
mod patterns;
mod receipt;
#[cfg(feature = "development")]
pub mod sandbox;
mod send;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::kernel::pace::Pace;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, PushMessage};
use crate::domain::notice::reach::AddressKind;
use crate::env::Env;
use crate::gateway::shared::aliyun::{self, Rpc};
use crate::gateway::shared::probe::Probe;

use super::{Acknowledgement, Adapter, CallbackFault, Found, PushChannel, PushNews, PushReport, RawCallback, Repeat};

pub use settings::Settings;

/// The channel, as `registry.rs` knows it.
pub const ADAPTER: Adapter = Adapter { code: "sms_aliyun", build, field_fault: patterns::fault };

/// The interface that is spoken here.
const VERSION: &str = "2017-05-25";

pub struct SmsAliyun {
    code: ChannelCode,
    pace: Pace,
    rpc: Rpc,
    /// For a call, and for a whole look-up, all its pages included.
    time_limit: Duration,
    sign_name: String,
    login_template: String,
    clock: Clock,
}

/// Builds the channel from the settings.
fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn PushChannel>> {
    let settings = Settings::read(env)?;
    match SmsAliyun::new(settings, clock.clone()) {
        Ok(channel) => Some(Arc::new(channel)),
        Err(error) => {
            env.fault(format!("no HTTP client for Alibaba Cloud SMS: {error}"));
            None
        }
    }
}

impl SmsAliyun {
    /// The channel with these settings.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        Ok(Self {
            code: ChannelCode::new(ADAPTER.code),
            pace: settings.pace,
            rpc: Rpc::new(&settings.http, VERSION, settings.credentials, clock.clone())?,
            time_limit: settings.http.timeout,
            sign_name: settings.sign_name,
            login_template: settings.login_template,
            clock,
        })
    }
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

    fn time_limit(&self) -> Duration {
        self.time_limit
    }

    async fn find(&self, to: &Private<String>, key: &str, handed_over: &[Instant]) -> Found {
        let search = find::find(&self.rpc, to, key, handed_over);
        tokio::time::timeout(self.time_limit, search).await.unwrap_or(Found::Unknown)
    }

    async fn probe(&self) -> Probe {
        aliyun::probe(find::nothing(&self.rpc, self.clock.now()).await)
    }

    fn login_template(&self) -> Option<&str> {
        Some(&self.login_template)
    }

    fn read(&self, call: &RawCallback) -> Result<Vec<PushNews>, CallbackFault> {
        receipt::read(call.body.expose())
    }

    fn acknowledge(&self, stored: bool) -> Acknowledgement {
        let (status, body) =
            if stored { (200, r#"{"code":0,"msg":"ok"}"#) } else { (503, r#"{"code":1,"msg":"try again"}"#) };
        Acknowledgement { status, content_type: "application/json", body: body.to_owned() }
    }
}

#[cfg(test)]
mod tests;
