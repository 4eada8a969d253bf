//! A simulated resident, who sends the requests that an app, a mini-program or a web page would send.

use std::collections::BTreeMap;

use reqwest::multipart;
use serde_json::{Value, json};

use super::form::{self, Applicant};
use super::fresh::fresh_key;
use super::http::{Caller, Reply};
use super::mishap::{Mishap, Played};
use super::pdf::empty_page;
use super::sandbox::SandboxClient;
use super::wait::{STEP_TIME_OUT, until};
use crate::domain::kernel::clock::{Clock, beijing_day, fresh};
use crate::domain::kernel::ids::DraftId;

/// A signed-in resident.
#[derive(Clone)]
pub struct Resident {
    pub applicant: Applicant,
    /// Gives today's date for the fields of a form.
    pub clock: Clock,
    caller: Caller,
}

#[derive(Debug, Clone)]
pub struct Submitted {
    pub id: String,
    pub number: String,
}

impl Resident {
    /// Signs in with a code from WeChat's `wx.login`.
    pub async fn by_wechat(api: &Caller, code: &str, applicant: Applicant) -> Played<Self> {
        let reply = api.post("/v1/sessions/wechat").json(&json!({"code": code})).success().await?;
        Ok(Self { applicant, clock: Clock::system(), caller: api.with_token(reply.text("/access_token")?) })
    }

    /// Signs in with a one-time code that the phone receives.
    pub async fn by_sms(api: &Caller, sandbox: &SandboxClient, applicant: Applicant) -> Played<Self> {
        let code = login_code(api, sandbox, applicant.phone).await?;
        let body = json!({"phone": applicant.phone, "code": code});
        let reply = api.post("/v1/sessions/sms").json(&body).success().await?;
        Ok(Self { applicant, clock: Clock::system(), caller: api.with_token(reply.text("/access_token")?) })
    }

    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Passes the real-name check (实名认证) with the resident's name and resident ID.
    pub async fn prove_identity(&self) -> Played<()> {
        let body = json!({"name": self.applicant.name, "resident_id": self.applicant.resident_id});
        self.caller.put("/v1/me/identity").json(&body).success().await?;
        Ok(())
    }

    /// Adds the phone number to the account, and proves it with a one-time code that the phone receives.
    pub async fn add_phone(&self, sandbox: &SandboxClient) -> Played<()> {
        let code = login_code(&self.caller, sandbox, self.applicant.phone).await?;
        let body = json!({"phone": self.applicant.phone, "code": code});
        self.caller.put("/v1/me/phone").json(&body).success().await?;
        Ok(())
    }

    /// Adds the resident's home to the address book as the default address. Returns the id of the address.
    pub async fn add_address(&self) -> Played<String> {
        let body = json!({
            "name": self.applicant.name, "phone": self.applicant.phone, "region": "320413",
            "detail": self.applicant.home, "is_default": true,
        });
        self.caller.post("/v1/addresses").json(&body).success().await?.text("/id")
    }

    /// Answers WeChat's consent dialog for all templates, and reports the answer to the API, as a mini-program must.
    /// Then does the same for the templates of parcels alone, because a one-time consent allows one message, and a
    /// parcel causes two. `openid` is the resident's id at WeChat, and `answer` is `accept` or `reject`. Returns the
    /// number of all templates.
    pub async fn answer_dialog(&self, sandbox: &SandboxClient, openid: &str, answer: &str) -> Played<usize> {
        let consents = self.caller.get("/v1/consents").success().await?;
        let at_wechat: Vec<&Value> = consents.rows()?.iter().filter(|row| row["channel"] == "wechat").collect();
        let ids = |wanted: fn(&Value) -> bool| -> Vec<&str> {
            at_wechat.iter().filter(|row| wanted(row)).filter_map(|row| row["template"].as_str()).collect()
        };
        let all = ids(|_| true);
        for templates in [&all, &ids(is_about_parcels)] {
            sandbox.tap(openid, templates, answer).await?;
            let results: BTreeMap<&str, &str> = templates.iter().map(|template| (*template, answer)).collect();
            let body = json!({"channel": "wechat", "results": results});
            self.caller.post("/v1/consents").once(&fresh_key()).json(&body).success().await?;
        }
        Ok(all.len())
    }

    /// Uploads an empty PDF called `{name}.pdf`, and returns the id of the upload.
    pub async fn upload(&self, name: &str) -> Played<String> {
        let part =
            multipart::Part::bytes(empty_page(name)).file_name(format!("{name}.pdf")).mime_str("application/pdf");
        let part = part.map_err(|error| Mishap::Unprepared(error.to_string()))?;
        self.caller.post("/v1/uploads").file(part).success().await?.text("/id")
    }

    /// Saves a complete draft for an item, and returns the draft's id. `item` is the item's code, and `delivery` the
    /// chosen way of delivery as the API expects it. Saves twice, like a person who continues a draft later.
    pub async fn draft(&self, item: &str, delivery: &Value) -> Played<String> {
        let guide = self.caller.get(&format!("/v1/items/{item}")).success().await?;
        let path = format!("/v1/drafts/{}", fresh(DraftId::from_uuid));
        let begun = json!({"item_code": item, "form": {}, "materials": []});
        let first = self.caller.put(&path).if_absent().json(&begun).success().await?;
        let upload = self.upload("scan").await?;
        let today = beijing_day(self.clock.now());
        let draft = json!({
            "item_code": item,
            "form": form::fill(guide.at("/form")?, &self.applicant, &upload, today),
            "materials": self.materials(&guide).await?,
            "delivery": delivery,
        });
        let saved = self.caller.put(&path).if_match(first.etag()).json(&draft).success().await?;
        saved.text("/id")
    }

    /// Uploads a file for each material that needs one. Returns the value for `materials` of the draft.
    async fn materials(&self, guide: &Reply) -> Played<Vec<Value>> {
        let mut handed_in = Vec::new();
        for material in guide.at("/materials")?.as_array().into_iter().flatten() {
            if material["needs_upload"] == true {
                let key = material["key"].as_str().unwrap_or_default();
                handed_in.push(json!({"key": key, "uploads": [self.upload(key).await?]}));
            }
        }
        Ok(handed_in)
    }

    /// Submits a draft twice with one idempotency key, like a phone that lost the first response. Fails if the API does
    /// not recognise the second request as a repetition.
    pub async fn submit(&self, draft: &str) -> Played<Submitted> {
        let body = json!({"draft": draft});
        let key = fresh_key();
        let first = self.caller.post("/v1/cases").once(&key).json(&body).success().await?;
        let again = self.caller.post("/v1/cases").once(&key).json(&body).success().await?;
        if first.body != again.body || again.header("idempotent-replayed") != "true" {
            return Err(Mishap::Wrong("a repeated submission was not recognised".to_owned()));
        }
        Ok(Submitted { id: first.text("/id")?, number: first.text("/number")? })
    }

    /// Returns the only parcel of a case; `None` if the parcel does not exist or has no waybill yet. Fails if the case
    /// has several parcels.
    pub async fn parcel(&self, case: &str) -> Played<Option<Value>> {
        let parcels = self.caller.get(&format!("/v1/cases/{case}/parcels")).success().await?;
        match parcels.rows()? {
            [] => Ok(None),
            [parcel] => Ok(Some(parcel.clone()).filter(|parcel| parcel["waybill"].is_string())),
            several => Err(Mishap::Wrong(format!("{} parcels for one case", several.len()))),
        }
    }

    /// Returns the events of a case that the notifications in the inbox report, oldest first.
    pub async fn inbox(&self, case: &str) -> Played<Vec<String>> {
        let inbox = self.caller.get("/v1/notifications").success().await?;
        let mut events: Vec<String> = inbox
            .rows()?
            .iter()
            .filter(|notification| notification["case"] == case)
            .filter_map(|notification| notification["event"].as_str().map(str::to_owned))
            .collect();
        events.reverse();
        Ok(events)
    }

    pub async fn timeline(&self, case: &str) -> Played<Vec<Value>> {
        Ok(self.caller.get(&format!("/v1/cases/{case}/timeline")).success().await?.rows()?.to_vec())
    }
}

/// True if a row of `/v1/consents` describes a template for events of parcels.
fn is_about_parcels(row: &Value) -> bool {
    let events = row["events"].as_array().into_iter().flatten();
    events.filter_map(Value::as_str).any(|event| event.starts_with("parcel"))
}

/// Requests a login code, waits until the phone receives it in the sandbox, and returns it.
async fn login_code(caller: &Caller, sandbox: &SandboxClient, phone: &str) -> Played<String> {
    let before = sandbox.phone(phone).await?.len();
    caller.post("/v1/login-codes").json(&json!({"phone": phone})).success().await?;
    let six_digits = |text: &String| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    until("a login code on the phone", STEP_TIME_OUT, async || {
        let messages = sandbox.phone(phone).await?;
        let mut texts = messages.iter().skip(before).flat_map(|message| message.fields.values());
        Ok(texts.find(|text| six_digits(text)).cloned())
    })
    .await
}
