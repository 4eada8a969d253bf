//! An installation in which everything exists that can be listed. It is filled over the API, and every act that takes
//! an `Idempotency-Key` is repeated on the way: the second request gets the first answer, and another request under the
//! same key is refused.

use std::collections::BTreeSet;

use reqwest::multipart::Part;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Call, Caller, Reply};
use songda::demo::officer::DeskOfficer;
use songda::demo::pdf::empty_page;

use crate::support::answers::{assert_problem, replayed};
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::office::{Office, result};
use crate::support::people::Person;
use crate::support::settings::UNLIMITED;
use crate::support::wait::wait_until;

/// People and what they own: at least two of everything that is listed.
pub struct Populated {
    pub desk: Desk,
    /// A resident with cases, drafts, addresses and notifications.
    pub resident: Person,
    /// The officer who decided the resident's cases.
    pub officer: DeskOfficer,
    pub operator: Caller,
    /// A back-office system that reported results.
    pub office: Office,
    /// The reference of a result that the back-office system reported.
    pub reference: String,
    /// A granted case.
    pub case: String,
    pub address: String,
    /// The id of a file that the resident uploaded.
    pub upload: String,
    /// A draft that is not submitted.
    pub draft: String,
    /// Every operation that was called with an idempotency key.
    pub done: BTreeSet<&'static str>,
}

/// Makes a call twice with one key, and then another call with the same key, which must be refused. `call(true)` is the
/// first call, `call(false)` the other one. Returns the first answer.
async fn once(done: &mut BTreeSet<&'static str>, operation: &'static str, call: impl Fn(bool) -> Call) -> Reply {
    let key = fresh_key();
    let ask = async |same| call(same).once(&key).answer().await.unwrap();
    let first = ask(true).await;
    let again = ask(true).await;
    let other = ask(false).await;
    assert!(first.status.is_success(), "{operation}: {}", first.body);
    assert_eq!((again.status, &again.body), (first.status, &first.body), "{operation}");
    assert_eq!((again.etag(), again.header("location")), (first.etag(), first.header("location")), "{operation}");
    assert_eq!((replayed(&first), replayed(&again)), ("", "true"), "{operation}");
    assert_problem(&other, 422, "idempotency_key_reused");
    done.insert(operation);
    first
}

fn pdf(words: &str) -> Part {
    Part::bytes(empty_page(words)).file_name("scan.pdf")
}

fn either(same: bool, body: Value, other: Value) -> Value {
    if same { body } else { other }
}

impl Populated {
    pub async fn new() -> Self {
        let desk = Desk::builder().settings(&UNLIMITED).open().await;
        let mut populated = Self {
            operator: desk.operator().await.caller().clone(),
            resident: desk.resident().await,
            officer: desk.officer(AGENCY).await,
            office: Office::register(&desk).await,
            reference: String::new(),
            case: String::new(),
            address: String::new(),
            upload: String::new(),
            draft: String::new(),
            done: BTreeSet::new(),
            desk,
        };
        populated.add_belongings().await;
        populated.add_cases().await;
        populated.add_results().await;
        populated.desk.finish().await;
        populated
    }

    /// Adds a consent, an address and an upload.
    async fn add_belongings(&mut self) {
        let caller = self.resident.caller();
        let consents = caller.get("/v1/consents").success().await.unwrap();
        let template = consents.rows().unwrap()[0]["template"].as_str().unwrap().to_owned();
        let answer = |answer: &str| json!({"channel": "wechat", "results": {&template: answer}});
        let report = |same| caller.post("/v1/consents").json(&either(same, answer("accept"), answer("reject")));
        once(&mut self.done, "POST /v1/consents", report).await;

        let home =
            |detail: &str| json!({"name": "王小明", "phone": "13800138000", "region": "320413", "detail": detail});
        let add = |same| caller.post("/v1/addresses").json(&either(same, home("西城街道1号"), home("西城街道2号")));
        self.address = once(&mut self.done, "POST /v1/addresses", add).await.text("/id").unwrap();

        let upload = |same| caller.post("/v1/uploads").file(pdf(if same { "one" } else { "another" }));
        self.upload = once(&mut self.done, "POST /v1/uploads", upload).await.text("/id").unwrap();
    }

    async fn new_draft(&self) -> String {
        self.desk.journey(ITEM).by(&self.resident).delivered_to(&self.address).await.id
    }

    async fn new_case(&self) -> String {
        self.desk.journey(ITEM).by(&self.resident).delivered_to(&self.address).submitted().await.id
    }

    /// Adds two drafts, two submitted cases, two granted cases, and one withdrawn case.
    async fn add_cases(&mut self) {
        let draft = self.new_draft().await;
        let other_draft = self.new_draft().await;
        let caller = self.resident.caller().clone();
        let submit = |same| caller.post("/v1/cases").json(&json!({"draft": if same { &draft } else { &other_draft }}));
        let case = once(&mut self.done, "POST /v1/cases", submit).await.text("/id").unwrap();
        let second = self.new_case().await;
        let third = self.new_case().await;
        self.new_draft().await;
        self.new_case().await;
        self.new_case().await;
        self.draft = other_draft;

        let withdrawal = format!("/v1/cases/{third}/withdrawal");
        let reason = |words: &str| json!({"reason": words});
        let withdraw = |same| caller.post(&withdrawal).json(&either(same, reason("不办了"), reason("写错了")));
        once(&mut self.done, "POST /v1/cases/{id}/withdrawal", withdraw).await;

        self.supplement(&caller, &second).await;
        self.grant(&case, &second).await;
        self.redirect_parcel(&caller, &case).await;
        self.case = case;
    }

    /// The officer asks for a supplement, and the resident hands it in.
    async fn supplement(&mut self, caller: &Caller, case: &str) {
        let officer = self.officer.caller();
        let path = format!("/staff/v1/cases/{case}");
        let tag = officer.get(&path).success().await.unwrap().etag().to_owned();
        let notice = format!("{path}/supplement-notice");
        let points = |point: &str| json!({"points": [point]});
        let give =
            |same| officer.post(&notice).if_match(&tag).json(&either(same, points("缺少居住证明"), points("缺少照片")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/supplement-notice", give).await;
        let supplement = format!("/v1/cases/{case}/supplement");
        let note = |note: &str| json!({"note": note});
        let answer = |same| caller.post(&supplement).json(&either(same, note("已补交"), note("稍后补交")));
        once(&mut self.done, "POST /v1/cases/{id}/supplement", answer).await;
    }

    /// The officer accepts and grants both cases, and reads the personal numbers of the first case in full.
    async fn grant(&mut self, case: &str, other: &str) {
        let officer = self.officer.caller().clone();
        let path = |case: &str, part: &str| format!("/staff/v1/cases/{case}{part}");
        let tag = async || officer.get(&path(case, "")).success().await.unwrap().etag().to_owned();
        let read = tag().await;
        // An acceptance has no body, so the other call is about another case.
        let accept =
            |same| officer.post(&path(if same { case } else { other }, "/acceptance")).if_match(&read).json(&json!({}));
        once(&mut self.done, "POST /staff/v1/cases/{id}/acceptance", accept).await;

        let read = tag().await;
        let decision = path(case, "/decision");
        let grant = |title: &str| json!({"outcome": "grant", "reasons": "", "result": {"title": title}});
        let decide =
            |same| officer.post(&decision).if_match(&read).json(&either(same, grant("居住证"), grant("居住登记回执")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/decision", decide).await;

        let disclosure = path(case, "/disclosures");
        let reason = |words: &str| json!({"reason": words});
        let disclose = |same| officer.post(&disclosure).json(&either(same, reason("核对住址"), reason("核对姓名")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/disclosures", disclose).await;
        self.officer.accept(other).await.unwrap();
        self.officer.grant(other, &json!({"title": "居住证"})).await.unwrap();
    }

    /// The officer cancels the parcel, and the resident sends it to another address.
    async fn redirect_parcel(&mut self, caller: &Caller, case: &str) {
        let wait_for = async |state: &str| {
            let is_there = async || self.officer.parcel_state(case).await.unwrap().as_deref() == Some(state);
            wait_until(state, is_there).await;
        };
        wait_for("ordered").await;
        let parcels = self.officer.parcels(case).await.unwrap();
        let cancellation = format!("/staff/v1/parcels/{}/cancellation", parcels[0]["id"].as_str().unwrap());
        self.officer.caller().post(&cancellation).success().await.unwrap();
        wait_for("cancelled").await;

        let other = self.resident.add_address().await.unwrap();
        let delivery = format!("/v1/cases/{case}/delivery");
        let to = |address: &str| json!({"address": address});
        let correct = |same| caller.put(&delivery).if_match("*").json(&either(same, to(&other), to(&self.address)));
        once(&mut self.done, "PUT /v1/cases/{id}/delivery", correct).await;
    }

    /// The back-office system reports one result alone, and two as a batch.
    async fn add_results(&mut self) {
        let row = || result(self.resident.phone());
        let rows = [row(), row()];
        let mut one = row();
        let Some(Value::String(reference)) = one.as_object_mut().unwrap().remove("ref") else { unreachable!() };
        let mut other = one.clone();
        other["result"]["title"] = json!("居住登记回执");
        let path = self.office.path(&reference);
        let client = &self.office.api;
        let report = |same| client.put(&path).json(&either(same, one.clone(), other.clone()));
        once(&mut self.done, "PUT /integration/v1/results/{source}/{reference}", report).await;
        let batch = |rows: &[Value]| json!({"results": rows});
        let hand_in =
            |same| client.post("/integration/v1/result-batches").json(&either(same, batch(&rows), batch(&rows[..1])));
        once(&mut self.done, "POST /integration/v1/result-batches", hand_in).await;
        self.reference = reference;
    }
}
