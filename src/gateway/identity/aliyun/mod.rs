//! The real-name check of Alibaba Cloud (`cloudauth`, `Id2MetaVerify`): name and resident ID number against the
//! register.
//!
//! The names of fields and codes are taken from general knowledge of the public interface and were not confirmed
//! against its documentation or the service itself. What is not recognised counts as no answer.

#[cfg(feature = "development")]
pub mod sandbox;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::acs3::Credentials;
use crate::gateway::shared::aliyun::{self, EdgeFault, Rpc, edge_fault};
use crate::gateway::shared::http::{Answer, HttpNames, HttpSettings};
use crate::gateway::shared::probe::Probe;

use super::{IdentityFact, IdentityGateway};

/// The interface that is spoken here.
const VERSION: &str = "2019-03-07";

/// Settings of the gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the service is reached.
    pub http: HttpSettings,
    /// Who calls it.
    pub credentials: Credentials,
}

impl Settings {
    /// Reads the settings; `None` where the gateway is off, or faults were found.
    pub fn read(env: &mut Env) -> Option<Self> {
        if !env.or::<bool>("SONGDA_IDENTITY_ENABLED", "true", "whether names are checked through Alibaba Cloud")? {
            return None;
        }
        let names = HttpNames {
            base_url: "SONGDA_IDENTITY_URL",
            default_url: "https://cloudauth.aliyuncs.com",
            timeout: "SONGDA_IDENTITY_TIMEOUT",
        };
        let http = HttpSettings::read(env, &names);
        let key_id = env.required("SONGDA_IDENTITY_ACCESS_KEY_ID", "AccessKey id for the real-name check");
        let secret = env.secret("SONGDA_IDENTITY_SECRET", "AccessKey secret for the real-name check");
        Some(Self { http: http?, credentials: Credentials { key_id: key_id?, secret: secret? } })
    }
}

pub struct AliyunIdentity {
    rpc: Rpc,
}

/// Builds the gateway from the settings.
pub fn gateway(env: &mut Env, clock: &Clock) -> Option<Arc<dyn IdentityGateway>> {
    let settings = Settings::read(env)?;
    match AliyunIdentity::new(settings, clock.clone()) {
        Ok(gateway) => Some(Arc::new(gateway)),
        Err(error) => {
            env.fault(format!("no HTTP client for the real-name check: {error}"));
            None
        }
    }
}

impl AliyunIdentity {
    /// The gateway with these settings.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        Ok(Self { rpc: Rpc::new(&settings.http, VERSION, settings.credentials, clock)? })
    }
}

#[async_trait]
impl IdentityGateway for AliyunIdentity {
    async fn verify(&self, name: &Private<String>, resident_id: &Private<String>) -> IdentityFact {
        let parameters = [
            ("ParamType", "normal"), // in the clear within TLS, not hashed
            ("UserName", name.expose().as_str()),
            ("IdentifyNum", resident_id.expose().as_str()),
        ];
        match self.rpc.call("Id2MetaVerify", &parameters).await {
            Ok(answer) => understand(&answer),
            Err(fault) => IdentityFact::Unavailable(fault.to_string()),
        }
    }

    /// A check of nobody is refused for want of a name, which costs nothing, once the account was found good.
    async fn probe(&self) -> Probe {
        aliyun::probe(self.rpc.call("Id2MetaVerify", &[("ParamType", "normal")]).await)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    code: String,
    request_id: Option<String>,
    result_object: Option<ResultObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultObject {
    biz_code: String,
}

fn understand(answer: &Answer) -> IdentityFact {
    let Ok(said) = serde_json::from_slice::<Said>(&answer.body) else {
        return IdentityFact::Unavailable(format!("HTTP {} without a readable body", answer.status.as_u16()));
    };
    let request_id = said.request_id.as_deref().unwrap_or("none");
    let detail = format!("{}, request {request_id}", said.code);
    let result = said.result_object.as_ref().map(|result| result.biz_code.as_str());
    match (said.code.as_str(), result) {
        ("200", Some("1")) => IdentityFact::Match,
        ("200", Some("2")) => IdentityFact::Mismatch,
        ("200", Some("3")) => IdentityFact::Unknown,
        // Parameters missing or illegal, scene not set up, service not opened, no rights, in arrears.
        ("400" | "401" | "402" | "403" | "404" | "410" | "411" | "412", _) => IdentityFact::Misconfigured(detail),
        (code, _) if edge_fault(code) == Some(EdgeFault::Account) => IdentityFact::Misconfigured(detail),
        _ => IdentityFact::Unavailable(detail),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::shared::loopback::{self, Loopback, nobody};

    async fn verify(http: &HttpSettings) -> IdentityFact {
        let credentials = Credentials { key_id: "testId".to_owned(), secret: Private::new("testSecret".to_owned()) };
        let settings = Settings { http: http.clone(), credentials };
        let clock = Clock::frozen("2026-01-02T04:00:00Z".parse().unwrap());
        let gateway = AliyunIdentity::new(settings, clock).unwrap();
        gateway.verify(&Private::new("张三".to_owned()), &Private::new("11010119900307889X".to_owned())).await
    }

    #[tokio::test]
    async fn the_registers_answers() {
        for (biz_code, fact) in
            [("1", IdentityFact::Match), ("2", IdentityFact::Mismatch), ("3", IdentityFact::Unknown)]
        {
            let answer =
                json!({"Code": "200", "Message": "success", "RequestId": "R1", "ResultObject": {"BizCode": biz_code}});
            let gateway = Loopback::start(move |_| loopback::json(&answer)).await;
            assert_eq!(verify(&gateway.settings).await, fact);
            let asked = &gateway.calls()[0];
            assert!(asked.query.is_empty(), "nothing personal in the URL");
            assert_eq!((asked.form()["ParamType"].as_str(), asked.form()["UserName"].as_str()), ("normal", "张三"));
            assert_eq!(asked.headers["x-acs-version"], "2019-03-07");
        }
    }

    #[tokio::test]
    async fn everything_else_leaves_the_question_open() {
        for (answer, expected) in [
            (json!({"Code": "500", "RequestId": "R1"}), IdentityFact::Unavailable("500, request R1".to_owned())),
            (json!({"Code": "200"}), IdentityFact::Unavailable("200, request none".to_owned())),
            (json!({"Code": "412"}), IdentityFact::Misconfigured("412, request none".to_owned())),
            (
                json!({"Code": "SignatureDoesNotMatch"}),
                IdentityFact::Misconfigured("SignatureDoesNotMatch, request none".to_owned()),
            ),
            (json!([]), IdentityFact::Unavailable("HTTP 200 without a readable body".to_owned())),
        ] {
            let gateway = Loopback::start(move |_| loopback::json(&answer)).await;
            assert_eq!(verify(&gateway.settings).await, expected);
        }
        assert!(matches!(verify(&nobody().await).await, IdentityFact::Unavailable(_)));
    }
}
