//! A client of EMS's interfaces. A request is a form, and one of its fields contains the content as encrypted JSON.

use reqwest::{Method, Url};
use serde_json::Value;

use super::answer;
use super::settings::EmsSettings;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::Clock;
use crate::gateway::courier::beijing_time;
use crate::gateway::courier::refusal::{self, CarrierRefusal, Operation, RefusalKind};

pub(super) struct Ems {
    pub(super) code: CarrierCode,
    pub(super) settings: EmsSettings,
    pub(super) clock: Clock,
}

impl Ems {
    /// Calls the interface with the number `api`, and returns the content of the answer.
    pub(super) async fn call(
        &self,
        api: &'static str,
        operation: Operation,
        content: &Value,
    ) -> Result<Value, CarrierRefusal> {
        let form = [
            ("apiCode", api),
            ("senderNo", &self.settings.sender_no),
            ("authorization", self.settings.authorization.expose()),
            ("msgType", "0"), // JSON
            ("timeStamp", &beijing_time::write(self.clock.now())),
            ("version", "V1.0.0"),
            ("logitcsInterface", &self.settings.key.seal(&content.to_string())), // EMS's own spelling
        ];
        let http = &self.settings.http;
        let answer = http.send(http.request(Method::POST, &self.settings.path).form(&form)).await?;
        answer::read(&refusal::body(answer)?, &self.settings.refusals, operation)
    }

    /// Downloads a file from a URL in an answer. The URL must be below `SONGDA_EMS_URL`.
    pub(super) async fn fetch(&self, url: &Url) -> Result<Vec<u8>, CarrierRefusal> {
        let http = &self.settings.http;
        let request = http
            .request_below(Method::GET, url)
            .ok_or_else(|| CarrierRefusal::new(RefusalKind::Misconfigured, "the file is not at SONGDA_EMS_URL"))?;
        Ok(refusal::body(http.send(request).await?)?.into())
    }
}
