//! Settings of the SMS channel.

use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::env::Env;
use crate::gateway::shared::acs3::Credentials;
use crate::gateway::shared::http::{HttpNames, HttpSettings};

/// The service allows about five thousand calls a second; the slots are what one process can use.
const PACE: PaceNames = PaceNames {
    rate: "SONGDA_SMS_ALIYUN_RATE",
    default_rate: "5000",
    slots: "SONGDA_SMS_ALIYUN_SLOTS",
    default_slots: "64",
};

/// Settings of the channel.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the service is reached.
    pub http: HttpSettings,
    /// How fast it may be called.
    pub pace: Pace,
    /// Who calls it.
    pub credentials: Credentials,
    /// The approved signature (签名) that opens every message.
    pub sign_name: String,
    /// The approved template for sign-in codes.
    pub login_template: String,
}

impl Settings {
    /// Reads the settings; `None` where the channel is off, or faults were found.
    pub fn read(env: &mut Env) -> Option<Self> {
        if !env.or::<bool>("SONGDA_SMS_ALIYUN_ENABLED", "true", "whether SMS are sent through Alibaba Cloud")? {
            return None;
        }
        let names = HttpNames {
            base_url: "SONGDA_SMS_ALIYUN_URL",
            default_url: "https://dysmsapi.aliyuncs.com",
            timeout: "SONGDA_SMS_ALIYUN_TIMEOUT",
        };
        let http = HttpSettings::read(env, &names);
        let pace = Pace::read(env, &PACE);
        let key_id = env.required("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "AccessKey id for Alibaba Cloud SMS");
        let secret = env.secret("SONGDA_SMS_ALIYUN_SECRET", "AccessKey secret for Alibaba Cloud SMS");
        let sign_name = env.required("SONGDA_SMS_ALIYUN_SIGN_NAME", "approved signature (签名) of the messages");
        let login_template = env.required(
            "SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE",
            "approved template for sign-in codes, with the one variable `code`",
        );
        Some(Self {
            http: http?,
            pace: pace?,
            credentials: Credentials { key_id: key_id?, secret: secret? },
            sign_name: sign_name?,
            login_template: login_template?,
        })
    }
}
