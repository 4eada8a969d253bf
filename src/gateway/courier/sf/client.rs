//! One call to SF: a digested body in a form.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::digest::digest;
use super::settings::Settings;
use crate::domain::clock::{Clock, fresh_uuid};
use crate::gateway::courier::refusal::{self, Kind, Refusal};
use crate::gateway::http::Http;

/// All services share one path; `serviceCode` tells them apart.
const PATH: &str = "std/service";

/// Calls SF in the name of one account.
pub(super) struct Client {
    pub(super) http: Http,
    /// Clients for the places where label files lie.
    pub(super) label_places: Vec<Http>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
}

impl Client {
    /// Calls one service, and reads the answer's content.
    pub(super) async fn call(&self, service: &'static str, content: &impl Serialize) -> Result<Value, Refusal> {
        let msg_data = serde_json::to_string(content)
            .map_err(|_| Refusal::new(Kind::Misconfigured, "the request cannot be written"))?;
        let timestamp = self.clock.now().timestamp_millis().to_string();
        let form = [
            ("partnerID", self.settings.partner_id.as_str()),
            ("requestID", &fresh_uuid().to_string()), // a repeated one is refused with A1007
            ("serviceCode", service),
            ("timestamp", &timestamp),
            ("msgDigest", &digest(&msg_data, &timestamp, &self.settings.check_word)),
            ("msgData", &msg_data),
        ];
        let request = self.http.request(Method::POST, PATH);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8").form(&form);
        answer::read(&refusal::body(self.http.send(request).await?)?)
    }

    /// Fetches a label file with its token, if it lies where the settings say that files may lie.
    pub(super) async fn fetch(&self, url: &Url, token: &str) -> Result<Vec<u8>, Refusal> {
        let mut places = std::iter::once(&self.http).chain(&self.label_places);
        let (http, request) = places
            .find_map(|http| Some((http, http.request_below(Method::GET, url)?)))
            .ok_or_else(|| Refusal::new(Kind::Misconfigured, "the label is at no place of SONGDA_SF_LABEL_URLS"))?;
        let answer = http.send(request.header("X-Auth-token", token)).await?;
        Ok(refusal::body(answer)?.into())
    }
}
