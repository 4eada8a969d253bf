//! One call to EMS: an encrypted body in a form.

use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::settings::EmsSettings;
use crate::domain::kernel::clock::Clock;
use crate::gateway::courier::beijing_time;
use crate::gateway::courier::refusal::{self, CarrierRefusal, Operation, RefusalKind};
use crate::gateway::shared::http::Http;

/// EMS's client for one account.
pub(super) struct EmsClient {
    pub(super) http: Http,
    pub(super) settings: EmsSettings,
    pub(super) clock: Clock,
}

impl EmsClient {
    /// Calls an interface by its number and returns the answer's content.
    pub(super) async fn call(
        &self,
        api: &'static str,
        operation: Operation,
        content: &impl Serialize,
    ) -> Result<Value, CarrierRefusal> {
        let json = serde_json::to_string(content)
            .map_err(|_| CarrierRefusal::new(RefusalKind::Misconfigured, "the request cannot be written"))?;
        let form = [
            ("apiCode", api),
            ("senderNo", &self.settings.sender_no),
            ("authorization", self.settings.authorization.expose()),
            ("msgType", "0"), // JSON
            ("timeStamp", &beijing_time::write(self.clock.now())),
            ("version", "V1.0.0"),
            ("logitcsInterface", &self.settings.key.seal(&json)), // EMS's own spelling
        ];
        let request = self.http.request(Method::POST, &self.settings.path).form(&form);
        let answer = self.http.send(request).await?;
        answer::read(&refusal::body(answer)?, &self.settings.refusals, operation)
    }

    /// Fetches a file that an answer named, if it is below EMS's own URL.
    pub(super) async fn fetch(&self, url: &Url) -> Result<Vec<u8>, CarrierRefusal> {
        let request = self
            .http
            .request_below(Method::GET, url)
            .ok_or_else(|| CarrierRefusal::new(RefusalKind::Misconfigured, "the file is not at SONGDA_EMS_URL"))?;
        Ok(refusal::body(self.http.send(request).await?)?.into())
    }
}
