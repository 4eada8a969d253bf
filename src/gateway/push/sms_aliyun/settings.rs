//! Settings of the SMS channel.

use crate::env::Env;
use crate::gateway::acs3::Credentials;
use crate::gateway::http::{HttpNames, HttpSettings};

/// Settings of the channel.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the service is reached.
    pub http: HttpSettings,
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
        let key_id = env.required("SONGDA_SMS_ALIYUN_ACCESS_KEY_ID", "AccessKey id for Alibaba Cloud SMS");
        let secret = env.secret("SONGDA_SMS_ALIYUN_SECRET", "AccessKey secret for Alibaba Cloud SMS");
        let sign_name = env.required("SONGDA_SMS_ALIYUN_SIGN_NAME", "approved signature (签名) of the messages");
        let login_template = env.required(
            "SONGDA_SMS_ALIYUN_LOGIN_TEMPLATE",
            "approved template for sign-in codes, with the one variable `code`",
        );
        Some(Self {
            http: http?,
            credentials: Credentials { key_id: key_id?, secret: secret? },
            sign_name: sign_name?,
            login_template: login_template?,
        })
    }
}
