//! Residents who are signed in and whose identity is verified. All apply for the same item.

use chrono::NaiveDate;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::installation::Api;
use crate::library::{Applicant, Clock, DraftId, beijing_day, fill, fresh, fresh_key, fresh_resident_id};
use crate::{Measured, wire};

/// An item whose application needs a form and no uploads.
const ITEM: &str = "JT-0044";
const NAME: &str = "王小明";
const PHONE: &str = "13912340001";

pub struct Resident {
    id: &'static str,
    token: String,
    form: Value,
}

impl Resident {
    /// Signs residents in by WeChat, and has their names checked.
    pub async fn sign_in(api: &Api, count: usize) -> Measured<Vec<Self>> {
        let guide = api.caller.get(&format!("/v1/items/{ITEM}")).success().await?;
        let form = guide.at("/form")?;
        let today = beijing_day(Clock::system().now());
        try_join_all((0..count).map(|_| Self::sign_in_one(api, form, today))).await
    }

    async fn sign_in_one(api: &Api, form: &Value, today: NaiveDate) -> Measured<Self> {
        let code = json!({"code": format!("wx-{}", fresh_key())});
        let session = api.caller.post("/v1/sessions/wechat").json(&code).success().await?;
        let token = session.text("/access_token")?;
        let resident_id: &'static str = Box::leak(fresh_resident_id().into_boxed_str());
        let identity = json!({"name": NAME, "resident_id": resident_id});
        api.caller.with_token(&token).put("/v1/me/identity").json(&identity).success().await?;
        let applicant = Applicant { name: NAME, resident_id, phone: PHONE, home: "西城街道清风路1号" };
        Ok(Self { id: resident_id, token, form: fill(form, &applicant, "", today) })
    }

    /// Returns the resident ID (公民身份号码).
    pub const fn id(&self) -> &str {
        self.id
    }

    /// Returns a request that saves a complete draft under this id.
    pub fn save(&self, draft: &str) -> Vec<u8> {
        let body = json!({"item_code": ITEM, "form": self.form, "materials": [], "delivery": {"way": "electronic"}});
        self.request("PUT", &format!("/v1/drafts/{draft}"), ("if-none-match", "*"), &body.to_string())
    }

    /// Returns a request that submits a draft.
    pub fn submit(&self, draft: &str) -> Vec<u8> {
        self.request("POST", "/v1/cases", ("idempotency-key", draft), &json!({"draft": draft}).to_string())
    }

    /// Returns a request for the live stream of events.
    pub fn follow(&self) -> Vec<u8> {
        self.request("GET", "/v1/events", ("accept", "text/event-stream"), "")
    }

    fn request(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.token);
        wire::request(method, path, &[("authorization", &bearer), ("content-type", "application/json"), header], body)
    }
}

/// Returns a fresh id for a draft.
pub fn draft_id() -> String {
    fresh(DraftId::from_uuid).to_string()
}
