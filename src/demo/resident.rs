//! A resident with a phone: everything that the app, the mini-program or a page would do for them.

use std::collections::BTreeMap;

use reqwest::multipart;
use serde_json::{Value, json};

use super::form::{self, Applicant};
use super::http::{Caller, Reply};
use super::mishap::{Mishap, Played};
use super::sandbox::Sandbox;
use super::wait::until;
use super::{PATIENCE, fresh_key};
use crate::domain::kernel::clock::{Clock, beijing_day, fresh};
use crate::domain::kernel::ids::DraftId;

/// The smallest PDF that opens: one empty page.
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Root 1 0 R>>\n%%EOF\n";

/// A resident who is signed in.
#[derive(Clone)]
pub struct Resident {
    /// Who they are.
    pub applicant: Applicant,
    /// What tells them the time.
    pub clock: Clock,
    caller: Caller,
}

/// A case that was submitted.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub id: String,
    /// Its number, as people read it.
    pub number: String,
}

impl Resident {
    /// Signs in with a code of WeChat's `wx.login`.
    ///
    /// # Errors
    /// When the code is refused.
    pub async fn by_wechat(api: &Caller, code: &str, applicant: Applicant) -> Played<Self> {
        let reply = api.post("/v1/sessions/wechat").json(&json!({"code": code})).success().await?;
        Ok(Self { applicant, clock: Clock::system(), caller: api.with_token(reply.text("/access_token")?) })
    }

    /// Signs in with a code that is read from the phone.
    ///
    /// # Errors
    /// When no code comes, or it is refused.
    pub async fn by_sms(api: &Caller, sandbox: &Sandbox, applicant: Applicant) -> Played<Self> {
        let code = login_code(api, sandbox, applicant.phone).await?;
        let body = json!({"phone": applicant.phone, "code": code});
        let reply = api.post("/v1/sessions/sms").json(&body).success().await?;
        Ok(Self { applicant, clock: Clock::system(), caller: api.with_token(reply.text("/access_token")?) })
    }

    /// Their way to the API.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Proves who they are (real-name step).
    ///
    /// # Errors
    /// When name and resident ID do not fit.
    pub async fn prove_identity(&self) -> Played<()> {
        let body = json!({"name": self.applicant.name, "resident_id": self.applicant.resident_id});
        self.caller.put("/v1/me/identity").json(&body).success().await?;
        Ok(())
    }

    /// Adds the phone's number, proved by a code that is read from it.
    ///
    /// # Errors
    /// When no code comes, or it is refused.
    pub async fn add_phone(&self, sandbox: &Sandbox) -> Played<()> {
        let code = login_code(&self.caller, sandbox, self.applicant.phone).await?;
        let body = json!({"phone": self.applicant.phone, "code": code});
        self.caller.put("/v1/me/phone").json(&body).success().await?;
        Ok(())
    }

    /// Writes their home into the address book; the address's id.
    pub async fn add_address(&self) -> Played<String> {
        let body = json!({
            "name": self.applicant.name, "phone": self.applicant.phone, "region": "320413",
            "detail": self.applicant.home, "is_default": true,
        });
        self.caller.post("/v1/addresses").json(&body).success().await?.text("/id")
    }

    /// Answers WeChat's dialog about all templates at once, and reports it to the API as a mini-program must. A second
    /// dialog asks again for those of parcels: a one-time consent is good for one message, and a parcel is worth two.
    /// Says for how many templates was asked.
    ///
    /// # Errors
    /// When the sandbox or the API refuses.
    pub async fn answer_dialog(&self, sandbox: &Sandbox, openid: &str, answer: &str) -> Played<usize> {
        let consents = self.caller.get("/v1/consents").success().await?;
        let at_wechat: Vec<&Value> = consents.rows()?.iter().filter(|row| row["channel"] == "wechat").collect();
        let ids = |wanted: fn(&Value) -> bool| -> Vec<&str> {
            at_wechat.iter().filter(|row| wanted(row)).filter_map(|row| row["template"].as_str()).collect()
        };
        let all = ids(|_| true);
        for templates in [&all, &ids(tells_of_parcels)] {
            sandbox.tap(openid, templates, answer).await?;
            let results: BTreeMap<&str, &str> = templates.iter().map(|template| (*template, answer)).collect();
            let body = json!({"channel": "wechat", "results": results});
            self.caller.post("/v1/consents").once(&fresh_key()).json(&body).success().await?;
        }
        Ok(all.len())
    }

    /// Uploads a synthetic PDF; its id.
    pub async fn upload(&self, name: &str) -> Played<String> {
        let part = multipart::Part::bytes(PDF).file_name(format!("{name}.pdf")).mime_str("application/pdf");
        let part = part.map_err(|error| Mishap::Unprepared(error.to_string()))?;
        self.caller.post("/v1/uploads").file(part).success().await?.text("/id")
    }

    /// Fills in an item's form, hands in what it asks for, and leaves it as a draft; the draft's id. The draft is
    /// saved twice, as by a person who comes back to it.
    ///
    /// # Errors
    /// When the item cannot be applied for, or the answer does not fit.
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

    /// One file for each material that needs one.
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

    /// Submits a draft, twice over as a phone does that lost the answer.
    ///
    /// # Errors
    /// When it is refused, or the repetition is not recognised.
    pub async fn submit(&self, draft: &str) -> Played<Submitted> {
        let (body, key) = (json!({"draft": draft}), fresh_key());
        let first = self.caller.post("/v1/cases").once(&key).json(&body).success().await?;
        let again = self.caller.post("/v1/cases").once(&key).json(&body).success().await?;
        if first.body != again.body || again.header("idempotent-replayed") != "true" {
            return Err(Mishap::Wrong("a repeated submission was not recognised".to_owned()));
        }
        Ok(Submitted { id: first.text("/id")?, number: first.text("/number")? })
    }

    /// The state of a parcel of a case, once there is exactly one that has a waybill.
    ///
    /// # Errors
    /// When the case has several parcels.
    pub async fn parcel(&self, case: &str) -> Played<Option<Value>> {
        let parcels = self.caller.get(&format!("/v1/cases/{case}/parcels")).success().await?;
        match parcels.rows()? {
            [] => Ok(None),
            [parcel] => Ok(Some(parcel.clone()).filter(|parcel| parcel["waybill"].is_string())),
            several => Err(Mishap::Wrong(format!("{} parcels for one case", several.len()))),
        }
    }

    /// The events in the inbox that belong to a case, the oldest first.
    ///
    /// # Errors
    /// When the inbox cannot be read.
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

    /// What happened to a case: the moment and the words in Chinese and English of each step.
    pub async fn timeline(&self, case: &str) -> Played<Vec<Value>> {
        Ok(self.caller.get(&format!("/v1/cases/{case}/timeline")).success().await?.rows()?.to_vec())
    }
}

/// Whether a row of `/v1/consents` is about a template that tells of parcels.
fn tells_of_parcels(row: &Value) -> bool {
    let events = row["events"].as_array().into_iter().flatten();
    events.filter_map(Value::as_str).any(|event| event.starts_with("parcel"))
}

/// Asks for a login code and reads it from the phone.
async fn login_code(caller: &Caller, sandbox: &Sandbox, phone: &str) -> Played<String> {
    let before = sandbox.phone(phone).await?.len();
    caller.post("/v1/login-codes").json(&json!({"phone": phone})).success().await?;
    let six_digits = |text: &String| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    until("a login code on the phone", PATIENCE, async || {
        let messages = sandbox.phone(phone).await?;
        Ok(messages
            .iter()
            .skip(before)
            .find_map(|message| message.fields.values().find(|text| six_digits(text)).cloned()))
    })
    .await
}
