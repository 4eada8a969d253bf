//! Residents who are signed in and have proved who they are, all with the same form in their hands.

use chrono::NaiveDate;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use songda::demo::form::{self, Applicant};
use songda::demo::{fresh_key, fresh_resident_id};
use songda::domain::kernel::clock::{Clock, beijing_day, fresh};
use songda::domain::kernel::ids::DraftId;

use crate::installation::Api;
use crate::{Measured, wire};

/// An item whose application needs a form and no uploads.
const ITEM: &str = "JT-0044";
const NAME: &str = "王小明";
const PHONE: &str = "13912340001";

/// A resident.
pub struct Resident {
    id: &'static str,
    token: String,
    form: Value,
}

impl Resident {
    /// So many, over WeChat and the real-name check, both played by the sandbox.
    pub async fn sign_in(api: &Api, count: usize) -> Measured<Vec<Self>> {
        let guide = api.caller.get(&format!("/v1/items/{ITEM}")).success().await?;
        let (guide, today) = (guide.at("/form")?, beijing_day(Clock::system().now()));
        try_join_all((0..count).map(|_| Self::sign_in_one(api, guide, today))).await
    }

    async fn sign_in_one(api: &Api, guide: &Value, today: NaiveDate) -> Measured<Self> {
        let code = json!({"code": format!("wx-{}", fresh_key())});
        let session = api.caller.post("/v1/sessions/wechat").json(&code).success().await?;
        let token = session.text("/access_token")?;
        let resident_id: &'static str = Box::leak(fresh_resident_id().into_boxed_str());
        let identity = json!({"name": NAME, "resident_id": resident_id});
        api.caller.with_token(&token).put("/v1/me/identity").json(&identity).success().await?;
        let applicant = Applicant { name: NAME, resident_id, phone: PHONE, home: "西城街道清风路1号" };
        Ok(Self { id: resident_id, token, form: form::fill(guide, &applicant, "", today) })
    }

    /// Their resident ID (公民身份号码).
    pub const fn id(&self) -> &str {
        self.id
    }

    /// A request that saves a complete draft under this id.
    pub fn save(&self, draft: &str) -> Vec<u8> {
        let body = json!({"item_code": ITEM, "form": self.form, "materials": [], "delivery": {"way": "electronic"}});
        self.request("PUT", &format!("/v1/drafts/{draft}"), ("if-none-match", "*"), &body.to_string())
    }

    /// A request that submits a draft.
    pub fn submit(&self, draft: &str) -> Vec<u8> {
        self.request("POST", "/v1/cases", ("idempotency-key", draft), &json!({"draft": draft}).to_string())
    }

    /// A request that follows what changes, live.
    pub fn follow(&self) -> Vec<u8> {
        self.request("GET", "/v1/events", ("accept", "text/event-stream"), "")
    }

    fn request(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.token);
        wire::request(method, path, &[("authorization", &bearer), ("content-type", "application/json"), header], body)
    }
}

/// An id for a draft.
pub fn draft_id() -> String {
    fresh(DraftId::from_uuid).to_string()
}
