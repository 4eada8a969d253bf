//! The real-name check of Alibaba Cloud (`cloudauth`, `Id2MetaVerify`): compares a name and a resident ID number with
//! the population register.
//!
//! The names of fields and codes are not confirmed against Alibaba's documents or the service. An unknown answer counts
//! as `Unavailable`, as if no answer had come.

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
use crate::gateway::shared::http::{Http, HttpAnswer, HttpNames};
use crate::gateway::shared::probe::Probe;

use super::{IdentityAdapter, IdentityFact, IdentityGateway};

/// The settings are called `SONGDA_IDENTITY_…`, without the name of the vendor, because an installation has at most one
/// real-name check.
pub const ADAPTER: IdentityAdapter = IdentityAdapter { code: "identity", build };

const HTTP: HttpNames = HttpNames {
    base_url: "SONGDA_IDENTITY_URL",
    default_url: "https://cloudauth.aliyuncs.com",
    timeout: "SONGDA_IDENTITY_TIMEOUT",
};

struct AliyunIdentity {
    rpc: Rpc,
}

fn build(env: &mut Env, clock: &Clock) -> Option<Arc<dyn IdentityGateway>> {
    if !env.or::<bool>("SONGDA_IDENTITY_ENABLED", "true", "`true`: names are checked through Alibaba Cloud")? {
        return None;
    }
    let http = Http::read(env, &HTTP);
    let key_id = env.required("SONGDA_IDENTITY_ACCESS_KEY_ID", "AccessKey id for the real-name check");
    let secret = env.secret("SONGDA_IDENTITY_SECRET", "AccessKey secret for the real-name check");
    let credentials = Credentials { key_id: key_id?, secret: secret? };
    let rpc = Rpc { http: http?, version: "2019-03-07", credentials, clock: clock.clone() };
    Some(Arc::new(AliyunIdentity { rpc }))
}

#[async_trait]
impl IdentityGateway for AliyunIdentity {
    async fn verify(&self, name: &Private<String>, resident_id: &Private<String>) -> IdentityFact {
        let parameters = [
            ("ParamType", "normal"), // plain text, not hashes
            ("UserName", name.expose().as_str()),
            ("IdentifyNum", resident_id.expose().as_str()),
        ];
        match self.rpc.call("Id2MetaVerify", &parameters).await {
            Ok(answer) => understand(&answer),
            Err(fault) => IdentityFact::Unavailable(fault.to_string()),
        }
    }

    /// Sends a check without a name and a number. Such a check costs nothing. Alibaba verifies our account before it
    /// refuses the check.
    async fn probe(&self) -> Probe {
        aliyun::probe(self.rpc.call("Id2MetaVerify", &[("ParamType", "normal")]).await)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetaVerifyAnswer {
    code: String,
    request_id: Option<String>,
    result_object: Option<ResultObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResultObject {
    biz_code: String,
}

fn understand(answer: &HttpAnswer) -> IdentityFact {
    let Ok(read) = serde_json::from_slice::<MetaVerifyAnswer>(&answer.body) else {
        return IdentityFact::Unavailable(format!("HTTP {} without a readable body", answer.status.as_u16()));
    };
    let request_id = read.request_id.as_deref().unwrap_or("none");
    let detail = format!("{}, request {request_id}", read.code);
    let result = read.result_object.as_ref().map(|result| result.biz_code.as_str());
    match (read.code.as_str(), result) {
        ("200", Some("1")) => IdentityFact::Match,
        ("200", Some("2")) => IdentityFact::Mismatch,
        ("200", Some("3")) => IdentityFact::Unknown,
        // These codes mean missing or invalid parameters, no scene set up, service not activated, no permission, or
        // account in arrears.
        ("400" | "401" | "402" | "403" | "404" | "410" | "411" | "412", _) => IdentityFact::Misconfigured(detail),
        (code, _) if edge_fault(code) == Some(EdgeFault::Account) => IdentityFact::Misconfigured(detail),
        _ => IdentityFact::Unavailable(detail),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::shared::http::HttpSettings;
    use crate::gateway::shared::loopback::{Loopback, unreachable};

    async fn verify(at: &HttpSettings) -> IdentityFact {
        let mut env = Env::of([
            ("SONGDA_IDENTITY_URL", at.base_url.as_str()),
            ("SONGDA_IDENTITY_ACCESS_KEY_ID", "testId"),
            ("SONGDA_IDENTITY_SECRET", "testSecret"),
        ]);
        let gateway = build(&mut env, &Clock::frozen("2026-01-02T04:00:00Z".parse().unwrap())).unwrap();
        gateway.verify(&Private::new("张三".to_owned()), &Private::new("11010119900307889X".to_owned())).await
    }

    #[tokio::test]
    async fn each_result_of_the_register_has_its_fact() {
        for (biz_code, fact) in
            [("1", IdentityFact::Match), ("2", IdentityFact::Mismatch), ("3", IdentityFact::Unknown)]
        {
            let answer =
                json!({"Code": "200", "Message": "success", "RequestId": "R1", "ResultObject": {"BizCode": biz_code}});
            let gateway = Loopback::answering(answer).await;
            assert_eq!(verify(&gateway.settings).await, fact);
            let asked = &gateway.calls()[0];
            assert!(asked.query.is_empty(), "nothing personal in the URL");
            assert_eq!((asked.form()["ParamType"].as_str(), asked.form()["UserName"].as_str()), ("normal", "张三"));
            assert_eq!(asked.headers["x-acs-version"], "2019-03-07");
        }
    }

    #[tokio::test]
    async fn every_other_answer_proves_nothing() {
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
            let gateway = Loopback::answering(answer).await;
            assert_eq!(verify(&gateway.settings).await, expected);
        }
        assert!(matches!(verify(&unreachable().await).await, IdentityFact::Unavailable(_)));
    }
}
