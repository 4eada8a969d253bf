//! Residents who apply, and the officer who accepts and grants: the long way to a decision, with files, under load. Each
//! step is asked for again, under the same key, until it is told to be done.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::form::{Applicant, fill};
use songda::demo::http::{Call, Caller, Reply};
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone, fresh_resident_id};
use songda::domain::kernel::clock::{Clock, beijing_day, fresh};
use songda::domain::kernel::ids::DraftId;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::insist::{ask, insist};
use super::told::{Kept, Ledger, Told};
use super::town::Town;
use crate::support::desk::PASSWORD;

const ITEM: &str = "JT-0045";
const CARRIER: &str = "ems";
const OFFICER: &str = "officer.public-security";

/// How long a resident looks at WeChat's dialog.
const DIALOG_WITHIN: Duration = Duration::from_secs(8);

/// A resident, and the officer in charge of what they apply for.
pub struct Pair {
    at: usize,
    api: Caller,
    someone: String,
    applicant: Applicant,
    address: String,
    guide: Value,
    resident: RwLock<Resident>,
    officer: Arc<RwLock<DeskOfficer>>,
    ledger: Arc<Ledger>,
}

impl Pair {
    /// So many residents who are known, with a phone and an address, and one officer for all.
    pub async fn some(town: &Town, ledger: &Arc<Ledger>, count: usize) -> Vec<Self> {
        let officer = DeskOfficer::sign_in(&town.api, OFFICER, PASSWORD).await.unwrap();
        let officer = Arc::new(RwLock::new(officer));
        let mut some = Vec::new();
        for at in 0..count {
            some.push(Self::new(at, town, ledger, &officer).await);
        }
        some
    }

    async fn new(at: usize, town: &Town, ledger: &Arc<Ledger>, officer: &Arc<RwLock<DeskOfficer>>) -> Self {
        let (someone, api) = (fresh_key(), town.api.clone());
        let applicant = Applicant {
            name: "王小明",
            resident_id: Box::leak(fresh_resident_id().into_boxed_str()),
            phone: Box::leak(fresh_phone().into_boxed_str()),
            home: "西城街道清风路1号",
        };
        let resident = Resident::by_wechat(&api, &format!("wx-{someone}"), applicant).await.unwrap();
        resident.prove_identity().await.unwrap();
        resident.add_phone(&town.sandbox).await.unwrap();
        let address = resident.add_address().await.unwrap();
        let guide = api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap().body;
        let (resident, officer, ledger) = (RwLock::new(resident), Arc::clone(officer), Arc::clone(ledger));
        Self { at, api, someone, applicant, address, guide, resident, officer, ledger }
    }

    /// All of them, until they are told to go home.
    pub async fn work(pairs: &[Self], town: &Town, seed: u64, go_home: &CancellationToken) {
        let work = async |pair: &Self| {
            let mut dice = Dice::new(seed, &format!("resident {}", pair.at));
            while !go_home.is_cancelled() {
                pair.apply(town).await;
                go_home.run_until_cancelled(tokio::time::sleep(dice.millis(500, 5_000))).await;
            }
        };
        join_all(pairs.iter().map(work)).await;
    }

    /// From the dialog to the decision; `None` where it could not go on, which is written down.
    async fn apply(&self, town: &Town) -> Option<()> {
        // As in life, a consent may be given that the product never hears of. SMS is there for that.
        let resident = self.resident.read().await.clone();
        let openid = self.openid();
        let dialog = resident.answer_dialog(&town.sandbox, &openid, "accept");
        let _ = tokio::time::timeout(DIALOG_WITHIN, dialog).await;
        let case = self.submit(&self.save().await?).await?;
        let (id, number) = (case.text("/id").unwrap(), case.text("/number").unwrap());
        self.accept(&id).await?;
        self.grant(&id).await?;
        let (phone, openid) = (self.applicant.phone.to_owned(), Some(self.openid()));
        self.ledger.taken(&id, Told { number, phone, openid, carrier: Some(CARRIER) });
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
        // 412: it is there already, and the answer that said so was lost.
        self.resident(|caller| caller.put(&path).if_absent().json(&draft), &[412]).await?;
        path.rsplit('/').next().map(str::to_owned)
    }

    async fn upload(&self) -> Option<String> {
        let content = format!("%PDF-1.4\n% {}\n%%EOF\n", fresh_key());
        let part = || {
            let part = reqwest::multipart::Part::text(content.clone());
            part.file_name("scan.pdf").mime_str("application/pdf").unwrap()
        };
        let reply = self.resident(|caller| caller.post("/v1/uploads").file(part()), &[]).await?;
        let (id, sha256) = (reply.text("/id").unwrap(), reply.text("/sha256").unwrap());
        self.ledger.kept(Kept { owner: self.at, upload: id.clone(), sha256 });
        Some(id)
    }

    async fn submit(&self, draft: &str) -> Option<Reply> {
        let (body, key) = (json!({"draft": draft}), fresh_key());
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
            // 412 and 409: it was accepted, and the answer that said so was lost.
            self.officer(accept, &[409, 412]).await?;
        }
    }

    async fn grant(&self, case: &str) -> Option<()> {
        let (path, key) = (format!("/staff/v1/cases/{case}"), fresh_key());
        let read = self.officer(|caller| caller.get(&path), &[]).await?;
        let decision = json!({"outcome": "grant", "reasons": "", "result": {"title": "居住证"}});
        let grant =
            |caller: &Caller| caller.post(&format!("{path}/decision")).if_match(read.etag()).once(&key).json(&decision);
        self.officer(grant, &[]).await.map(drop)
    }

    async fn resident(&self, call: impl Fn(&Caller) -> Call, also: &[u16]) -> Option<Reply> {
        let sign_in = async || {
            // WeChat takes each code once; what stands after the point makes it another code of the same person.
            let code = format!("wx-{}.{}", self.someone, fresh_key());
            let again = Resident::by_wechat(&self.api, &code, self.applicant).await;
            if let Ok(again) = again {
                *self.resident.write().await = again;
            }
        };
        insist(&self.ledger, async || ask(call(self.resident.read().await.caller()), also).await, sign_in).await
    }

    async fn officer(&self, call: impl Fn(&Caller) -> Call, also: &[u16]) -> Option<Reply> {
        let sign_in = async || {
            if let Ok(again) = DeskOfficer::sign_in(&self.api, OFFICER, PASSWORD).await {
                *self.officer.write().await = again;
            }
        };
        insist(&self.ledger, async || ask(call(self.officer.read().await.caller()), also).await, sign_in).await
    }

    fn openid(&self) -> String {
        format!("openid-{}", self.someone)
    }

    /// Reads a file back; whether it is the one that was handed in.
    pub async fn still_has(&self, file: &Kept) -> bool {
        let read = self.resident(|caller| caller.get(&format!("/v1/uploads/{}/content", file.upload)), &[404]).await;
        read.is_some_and(|reply| file.is(&reply.bytes))
    }
}
