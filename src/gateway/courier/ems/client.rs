//! One call to EMS: a sealed body in a form.

use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::settings::Settings;
use crate::domain::kernel::clock::Clock;
use crate::gateway::courier::beijing_time;
use crate::gateway::courier::refusal::{self, Kind, Operation, Refusal};
use crate::gateway::shared::http::Http;

/// Calls EMS in the name of one account.
pub(super) struct Client {
    pub(super) http: Http,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
}

impl Client {
    /// Calls one interface, named by its number, and reads the answer's content.
    pub(super) async fn call(
        &self,
        api: &'static str,
        operation: Operation,
        content: &impl Serialize,
    ) -> Result<Value, Refusal> {
        let json = serde_json::to_string(content)
            .map_err(|_| Refusal::new(Kind::Misconfigured, "the request cannot be written"))?;
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

    /// Fetches a file that an answer named, if it lies where EMS itself does.
    pub(super) async fn fetch(&self, url: &Url) -> Result<Vec<u8>, Refusal> {
        let request = self
            .http
            .request_below(Method::GET, url)
            .ok_or_else(|| Refusal::new(Kind::Misconfigured, "the file is not at SONGDA_EMS_URL"))?;
        Ok(refusal::body(self.http.send(request).await?)?.into())
    }
}
