//! Residents who apply, and the officer who accepts and grants: all steps to a decision, with files, under load. Each
//! request is repeated until it succeeds, with the same idempotency key if it has one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::form::{Applicant, fill};
use songda::demo::http::{Call, Caller, Reply};
use songda::demo::officer::DeskOfficer;
use songda::demo::pdf::empty_page;
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone};
use songda::domain::kernel::clock::{Clock, beijing_day, fresh};
use songda::domain::kernel::ids::DraftId;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::ledger::{Ledger, Promise, StoredFile};
use super::retry::{ask, retry};
use super::town::Town;
use crate::support::items::ITEM;
use crate::support::people::{PASSWORD, applicant};

const CARRIER: &str = "ems";
const OFFICER: &str = "officer.public-security";

/// How long a resident waits for WeChat's dialog. After this time the resident applies without the consent.
const DIALOG_WITHIN: Duration = Duration::from_secs(8);

/// A resident, and the officer who decides the resident's cases.
pub struct Pair {
    at: usize,
    api: Caller,
    name: String,
    applicant: Applicant,
    address: String,
    guide: Value,
    resident: RwLock<Resident>,
    officer: Arc<RwLock<DeskOfficer>>,
    ledger: Arc<Ledger>,
}

impl Pair {
    /// Creates this many verified residents with a phone and an address, and one officer for all of them.
    pub async fn some(town: &Town, ledger: &Arc<Ledger>, count: usize) -> Vec<Self> {
        let officer = DeskOfficer::sign_in(&town.api, OFFICER, PASSWORD).await.unwrap();
        let officer = Arc::new(RwLock::new(officer));
        let mut pairs = Vec::new();
        for at in 0..count {
            pairs.push(Self::new(at, town, ledger, &officer).await);
        }
        pairs
    }

    async fn new(at: usize, town: &Town, ledger: &Arc<Ledger>, officer: &Arc<RwLock<DeskOfficer>>) -> Self {
        let name = fresh_key();
        let api = town.api.clone();
        let applicant = applicant(fresh_phone());
        let resident = Resident::by_wechat(&api, &format!("wx-{name}"), applicant).await.unwrap();
        resident.prove_identity().await.unwrap();
        resident.add_phone(&town.sandbox).await.unwrap();
        let address = resident.add_address().await.unwrap();
        let guide = api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap().body;
        let resident = RwLock::new(resident);
        let officer = Arc::clone(officer);
        let ledger = Arc::clone(ledger);
        Self { at, api, name, applicant, address, guide, resident, officer, ledger }
    }

    /// All residents apply again and again until `stop`.
    pub async fn work(pairs: &[Self], town: &Town, seed: u64, stop: &CancellationToken) {
        let work = async |pair: &Self| {
            let mut dice = Dice::new(seed, &format!("resident {}", pair.at));
            while !stop.is_cancelled() {
                pair.apply(town).await;
                stop.run_until_cancelled(tokio::time::sleep(dice.millis(500, 5_000))).await;
            }
        };
        join_all(pairs.iter().map(work)).await;
    }

    /// Plays all steps from WeChat's dialog to the decision. `None` if a step failed, which is recorded in the ledger.
    async fn apply(&self, town: &Town) -> Option<()> {
        // A consent can get lost on its way. Then the message goes out by SMS.
        let resident = self.resident.read().await.clone();
        let openid = self.openid();
        let dialog = resident.answer_dialog(&town.sandbox, &openid, "accept");
        let _ = tokio::time::timeout(DIALOG_WITHIN, dialog).await;
        let case = self.submit(&self.save().await?).await?;
        let id = case.text("/id").unwrap();
        let number = case.text("/number").unwrap();
        self.accept(&id).await?;
        self.grant(&id).await?;
        let phone = self.applicant.phone.to_owned();
        self.ledger.promised(&id, Promise { number, phone, openid: Some(self.openid()), carrier: Some(CARRIER) });
        Some(())
    }

    async fn save(&self) -> Option<String> {
        let path = format!("/v1/drafts/{}", fresh(DraftId::from_uuid));
        let upload = self.upload().await?;
        let form = fill(&self.guide["form"], &self.applicant, &upload, beijing_day(Clock::system().now()));
        let materials = self.guide["materials"].as_array().into_iter().flatten();
        let materials: Vec<Value> = materials
            .filter(|material| material["needs_upload"] == true)
            .map(|material| json!({"key": material["key"], "uploads": [upload]}))
            .collect();
        let delivery = json!({"way": "courier", "address": self.address});
        let draft = json!({"item_code": ITEM, "form": form, "materials": materials, "delivery": delivery});
        // 412 means that the draft was saved, and the answer was lost.
        self.resident(|caller| caller.put(&path).if_absent().json(&draft), &[412]).await?;
        path.rsplit('/').next().map(str::to_owned)
    }

    async fn upload(&self) -> Option<String> {
        let content = empty_page(&fresh_key());
        let part = || {
            let part = reqwest::multipart::Part::bytes(content.clone());
            part.file_name("scan.pdf").mime_str("application/pdf").unwrap()
        };
        let reply = self.resident(|caller| caller.post("/v1/uploads").file(part()), &[]).await?;
        let id = reply.text("/id").unwrap();
        let sha256 = reply.text("/sha256").unwrap();
        self.ledger.stored(StoredFile { owner: self.at, upload: id.clone(), sha256 });
        Some(id)
    }

    async fn submit(&self, draft: &str) -> Option<Reply> {
        let body = json!({"draft": draft});
        let key = fresh_key();
        self.resident(|caller| caller.post("/v1/cases").once(&key).json(&body), &[]).await
    }

    async fn accept(&self, case: &str) -> Option<()> {
        let path = format!("/staff/v1/cases/{case}");
        loop {
            let read = self.officer(|caller| caller.get(&path), &[]).await?;
            if read.body["state"] == "accepted" {
                return Some(());
            }
            let accept =
                |caller: &Caller| caller.post(&format!("{path}/acceptance")).if_match(read.etag()).json(&json!({}));
            // 409 and 412 mean that the case was accepted, and the answer was lost.
            self.officer(accept, &[409, 412]).await?;
        }
    }

    async fn grant(&self, case: &str) -> Option<()> {
        let path = format!("/staff/v1/cases/{case}");
        let key = fresh_key();
        let read = self.officer(|caller| caller.get(&path), &[]).await?;
        let decision = json!({"outcome": "grant", "reasons": "", "result": {"title": "居住证"}});
        let grant =
            |caller: &Caller| caller.post(&format!("{path}/decision")).if_match(read.etag()).once(&key).json(&decision);
        self.officer(grant, &[]).await.map(drop)
    }

    async fn resident(&self, call: impl Fn(&Caller) -> Call, also: &[u16]) -> Option<Reply> {
        let sign_in = async || {
            // WeChat accepts a code once. The part after the point makes it another code of the same person.
            let code = format!("wx-{}.{}", self.name, fresh_key());
            let again = Resident::by_wechat(&self.api, &code, self.applicant).await;
            if let Ok(again) = again {
                *self.resident.write().await = again;
            }
        };
        retry(&self.ledger, async || ask(call(self.resident.read().await.caller()), also).await, sign_in).await
    }

    async fn officer(&self, call: impl Fn(&Caller) -> Call, also: &[u16]) -> Option<Reply> {
        let sign_in = async || {
            if let Ok(again) = DeskOfficer::sign_in(&self.api, OFFICER, PASSWORD).await {
                *self.officer.write().await = again;
            }
        };
        retry(&self.ledger, async || ask(call(self.officer.read().await.caller()), also).await, sign_in).await
    }

    fn openid(&self) -> String {
        format!("openid-{}", self.name)
    }

    /// True if a file can be read and has the content that was uploaded.
    pub async fn still_has(&self, file: &StoredFile) -> bool {
        let read = self.resident(|caller| caller.get(&format!("/v1/uploads/{}/content", file.upload)), &[404]).await;
        read.is_some_and(|reply| file.is(&reply.bytes))
    }
}
