//! A household that does everything there is to do. Every act that takes an `Idempotency-Key` is done as it is meant: the
//! first time it is done, the second time the first answer is given again, and the same key for anything else is refused.

use std::collections::BTreeSet;

use reqwest::multipart::Part;
use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Call, Caller, Reply};
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;

use super::HASTY;
use crate::support::acts::refused;
use crate::support::desk::{Desk, PASSWORD, wait_until};
use crate::support::office::{KnownOffice, result};

const ITEM: &str = "JT-0045";
const AGENCY: &str = "public-security";

/// People, and all that they have: at least two of whatever is listed.
pub struct Household {
    /// Where they live.
    pub desk: Desk,
    /// A resident with cases, drafts, addresses and news.
    pub resident: Resident,
    /// The officer who decides them.
    pub officer: DeskOfficer,
    /// Who runs it all.
    pub operator: Caller,
    /// A back-office system that reported results.
    pub client: Caller,
    /// What that system is called.
    pub source: String,
    /// What that system calls one of them.
    pub reference: String,
    /// A granted case.
    pub case: String,
    /// An address.
    pub address: String,
    /// A file that was handed in.
    pub upload: String,
    /// A draft that waits.
    pub draft: String,
    /// Every operation that was done with a key.
    pub done: BTreeSet<&'static str>,
}

/// Does something twice with one key, and then something else with it. What is done comes from `call`, which is told
/// whether it is the same once more.
async fn once(done: &mut BTreeSet<&'static str>, operation: &'static str, call: impl Fn(bool) -> Call) -> Reply {
    let key = fresh_key();
    let ask = async |same| call(same).once(&key).answer().await.unwrap();
    let (first, again, other) = (ask(true).await, ask(true).await, ask(false).await);
    assert!(first.status.is_success(), "{operation}: {}", first.body);
    assert_eq!((again.status, &again.body), (first.status, &first.body), "{operation}");
    assert_eq!((again.etag(), again.header("location")), (first.etag(), first.header("location")), "{operation}");
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"), "{operation}");
    refused(&other, 422, "idempotency_key_reused");
    done.insert(operation);
    first
}

fn pdf(words: &str) -> Part {
    Part::bytes(format!("%PDF-1.4\n% {words}\n%%EOF\n").into_bytes()).file_name("scan.pdf")
}

/// One of two bodies.
fn either(same: bool, body: Value, other: Value) -> Value {
    if same { body } else { other }
}

impl Household {
    /// Lets them do everything.
    pub async fn at_home() -> Self {
        let desk = Desk::open_with(&HASTY).await;
        let add = ["staff", "add", "operator", "--name", "运维", "--agency", AGENCY, "--role", "operator"];
        desk.songda(&add).await;
        let operator = DeskOfficer::sign_in(&desk.api, "operator", PASSWORD).await.unwrap().caller().clone();
        let ((resident, _), officer) = (desk.resident().await, desk.officer(AGENCY).await);
        let known = KnownOffice::new(&desk).await;
        let client = desk.api.with_token(known.token(&desk).await);
        let nothing = String::new;
        let mut home = Self {
            resident,
            officer,
            operator,
            client,
            source: known.source,
            reference: nothing(),
            case: nothing(),
            address: nothing(),
            upload: nothing(),
            draft: nothing(),
            done: BTreeSet::new(),
            desk,
        };
        home.prepares().await;
        home.applies().await;
        home.reports().await;
        home.desk.finish().await;
        home
    }

    /// Consents, addresses, a device, files.
    async fn prepares(&mut self) {
        let caller = self.resident.caller();
        let asked = caller.get("/v1/consents").success().await.unwrap();
        let template = asked.rows().unwrap()[0]["template"].as_str().unwrap().to_owned();
        let answer = |answer: &str| json!({"channel": "wechat", "results": {&template: answer}});
        let consents = |same| caller.post("/v1/consents").json(&either(same, answer("accept"), answer("reject")));
        once(&mut self.done, "POST /v1/consents", consents).await;

        let home =
            |detail: &str| json!({"name": "王小明", "phone": "13800138000", "region": "320413", "detail": detail});
        let addresses =
            |same| caller.post("/v1/addresses").json(&either(same, home("西城街道1号"), home("西城街道2号")));
        let address = once(&mut self.done, "POST /v1/addresses", addresses).await;
        self.address = address.text("/id").unwrap();

        let uploads = |same| caller.post("/v1/uploads").file(pdf(if same { "one" } else { "another" }));
        self.upload = once(&mut self.done, "POST /v1/uploads", uploads).await.text("/id").unwrap();
    }

    async fn new_draft(&self) -> String {
        self.resident.draft(ITEM, &json!({"way": "courier", "address": self.address})).await.unwrap()
    }

    async fn new_case(&self) -> String {
        self.resident.submit(&self.new_draft().await).await.unwrap().id
    }

    /// Two drafts wait, two cases wait, two are granted, and one is withdrawn.
    async fn applies(&mut self) {
        let (draft, other_draft) = (self.new_draft().await, self.new_draft().await);
        let caller = self.resident.caller().clone();
        let cases = |same| caller.post("/v1/cases").json(&json!({"draft": if same { &draft } else { &other_draft }}));
        let case = once(&mut self.done, "POST /v1/cases", cases).await.text("/id").unwrap();
        let (second, third) = (self.new_case().await, self.new_case().await);
        let _waiting = (self.new_draft().await, self.new_case().await, self.new_case().await);
        self.draft = other_draft;

        let of_case = |part: &str| format!("/v1/cases/{third}/{part}");
        let reason = |words: &str| json!({"reason": words});
        let withdrawal = of_case("withdrawal");
        let withdraws = |same| caller.post(&withdrawal).json(&either(same, reason("不办了"), reason("写错了")));
        once(&mut self.done, "POST /v1/cases/{id}/withdrawal", withdraws).await;

        self.is_supplemented(&caller, &second).await;
        self.is_granted(&case, &second).await;
        self.goes_elsewhere(&caller, &case).await;
        self.case = case;
    }

    /// An officer finds that something is missing, and the resident hands it in.
    async fn is_supplemented(&mut self, caller: &Caller, case: &str) {
        let officer = self.officer.caller();
        let desk = format!("/staff/v1/cases/{case}");
        let tag = officer.get(&desk).success().await.unwrap().etag().to_owned();
        let (notice, points) = (format!("{desk}/supplement-notice"), |point: &str| json!({"points": [point]}));
        let notices =
            |same| officer.post(&notice).if_match(&tag).json(&either(same, points("缺少居住证明"), points("缺少照片")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/supplement-notice", notices).await;
        let (supplement, note) = (format!("/v1/cases/{case}/supplement"), |note: &str| json!({"note": note}));
        let answers = |same| caller.post(&supplement).json(&either(same, note("已补交"), note("稍后补交")));
        once(&mut self.done, "POST /v1/cases/{id}/supplement", answers).await;
    }

    async fn is_granted(&mut self, case: &str, other: &str) {
        let officer = self.officer.caller().clone();
        let desk = |case: &str, part: &str| format!("/staff/v1/cases/{case}{part}");
        let tag = async || officer.get(&desk(case, "")).success().await.unwrap().etag().to_owned();
        let read = tag().await;
        // It has no body, so it is another case that is something else.
        let accepts =
            |same| officer.post(&desk(if same { case } else { other }, "/acceptance")).if_match(&read).json(&json!({}));
        once(&mut self.done, "POST /staff/v1/cases/{id}/acceptance", accepts).await;

        let (read, path) = (tag().await, desk(case, "/decision"));
        let grant = |title: &str| json!({"outcome": "grant", "reasons": "", "result": {"title": title}});
        let decides =
            |same| officer.post(&path).if_match(&read).json(&either(same, grant("居住证"), grant("居住登记回执")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/decision", decides).await;

        let (path, reason) = (desk(case, "/disclosures"), |words: &str| json!({"reason": words}));
        let discloses = |same| officer.post(&path).json(&either(same, reason("核对住址"), reason("核对姓名")));
        once(&mut self.done, "POST /staff/v1/cases/{id}/disclosures", discloses).await;
        self.officer.accept(other).await.unwrap();
        self.officer.grant(other, &json!({"title": "居住证"})).await.unwrap();
    }

    /// The parcel is called back, and sent to another address.
    async fn goes_elsewhere(&mut self, caller: &Caller, case: &str) {
        let comes_to = async |state: &str| {
            let is_there = async || self.officer.parcel_state(case).await.unwrap().as_deref() == Some(state);
            wait_until(state, is_there).await;
        };
        comes_to("ordered").await;
        let parcels = self.officer.parcels(case).await.unwrap();
        let cancellation = format!("/staff/v1/parcels/{}/cancellation", parcels[0]["id"].as_str().unwrap());
        self.officer.caller().post(&cancellation).success().await.unwrap();
        comes_to("cancelled").await;

        let other = self.resident.add_address().await.unwrap();
        let (delivery, to) = (format!("/v1/cases/{case}/delivery"), |address: &str| json!({"address": address}));
        let sends = |same| caller.put(&delivery).if_match("*").json(&either(same, to(&other), to(&self.address)));
        once(&mut self.done, "PUT /v1/cases/{id}/delivery", sends).await;
    }

    /// Another system decides, once for one and once for several.
    async fn reports(&mut self) {
        let row = || result(self.resident.applicant.phone);
        let (mut one, rows) = (row(), [row(), row()]);
        let Some(Value::String(reference)) = one.as_object_mut().unwrap().remove("ref") else { unreachable!() };
        let mut other = one.clone();
        other["result"]["title"] = json!("居住登记回执");
        let path = format!("/integration/v1/results/{}/{reference}", self.source);
        let reports = |same| self.client.put(&path).json(&either(same, one.clone(), other.clone()));
        once(&mut self.done, "PUT /integration/v1/results/{source}/{reference}", reports).await;
        let batch = |rows: &[Value]| json!({"results": rows});
        let hands_in = |same| {
            self.client.post("/integration/v1/result-batches").json(&either(same, batch(&rows), batch(&rows[..1])))
        };
        once(&mut self.done, "POST /integration/v1/result-batches", hands_in).await;
        self.reference = reference;
    }
}
