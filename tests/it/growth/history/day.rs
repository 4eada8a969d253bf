//! A day of a town: residents sign in, apply, wait and read; officers read their queues and decide; a back-office
//! system reports decisions; an operator reads the jobs. [`Times`] records how long the steps of the day take, such as
//! `accept` or `page of the queue`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::Caller;
use songda::demo::mishap::Played;
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::{Resident, Submitted};
use songda::demo::sandbox::SandboxClient;
use songda::demo::wait::until;
use songda::demo::{STEP_TIME_OUT, fresh_key, fresh_phone, fresh_resident_id};
use songda::domain::kernel::clock::Stopwatch;

/// An item whose result goes by post.
const BY_POST: &str = "JT-0045";
const ONLINE: &str = "JT-0044";

pub struct Town {
    /// The API, without a token.
    pub api: Caller,
    pub sandbox: SandboxClient,
    /// The password of all officers, who are called `officer.<agency>`, and of the operator.
    pub password: String,
    /// The operator's username.
    pub operator: &'static str,
    /// The API, with the token of a back-office system.
    pub back_office: Caller,
    /// How many decisions that system reports on a day, in one batch.
    pub decisions: usize,
}

/// All measured times of each step.
#[derive(Default)]
pub struct Times(BTreeMap<&'static str, Vec<Duration>>);

impl Times {
    /// Returns the median of each step in milliseconds.
    pub fn medians(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(step, times)| {
            let mut times = times.clone();
            times.sort_unstable();
            (*step, times[times.len() / 2].as_secs_f64() * 1_000.0)
        })
    }

    async fn of<T>(&mut self, step: &'static str, doing: impl Future<Output = Played<T>>) -> Played<T> {
        let watch = Stopwatch::start();
        let done = doing.await?;
        self.0.entry(step).or_default().push(watch.elapsed());
        Ok(done)
    }
}

impl Town {
    /// Plays one day: one case whose result goes by post, one case without a parcel, and many cases that a back-office
    /// system reports as decided. Then an operator reads the jobs.
    pub async fn lives_a_day(&self, times: &mut Times) -> Played<()> {
        self.is_served_by_post(times).await?;
        self.is_served_online(times).await?;
        self.decides_elsewhere(times).await?;
        self.is_looked_after(times).await
    }

    /// First the back-office system reports a decision for a person. Then this person signs in, is verified, applies
    /// for another item, and gets the result by post.
    async fn is_served_by_post(&self, times: &mut Times) -> Played<()> {
        let applicant = new_applicant();
        let someone = fresh_key();
        self.reports(&[decision(&json!({"phone": fresh_phone(), "resident_id": applicant.resident_id}))]).await?;
        let code = format!("wx-{someone}");
        let resident = times.of("sign in", Resident::by_wechat(&self.api, &code, applicant)).await?;
        times.of("prove who one is", resident.prove_identity()).await?;
        resident.add_phone(&self.sandbox).await?;
        resident.answer_dialog(&self.sandbox, &format!("openid-{someone}"), "accept").await?;
        let address = resident.add_address().await?;
        let submitted = self.applies(&resident, BY_POST, &json!({"way": "courier", "address": address}), times).await?;
        self.is_decided(BY_POST, &submitted, times).await?;
        until("a parcel", STEP_TIME_OUT, || resident.parcel(&submitted.id)).await?;
        let parcels = self.sandbox.parcels_to(applicant.phone).await?;
        until("the parcel's delivery", STEP_TIME_OUT, async || {
            for parcel in &parcels {
                self.sandbox.advance(&parcel.order_no).await?;
            }
            let state = resident.parcel(&submitted.id).await?.map(|parcel| parcel["state"].clone());
            Ok(state.filter(|state| state == "delivered"))
        })
        .await?;
        self.looks(&resident, &submitted, times).await
    }

    /// Another resident signs in by SMS and applies for an item without a parcel.
    async fn is_served_online(&self, times: &mut Times) -> Played<()> {
        let resident = Resident::by_sms(&self.api, &self.sandbox, new_applicant()).await?;
        resident.prove_identity().await?;
        let submitted = self.applies(&resident, ONLINE, &json!({"way": "electronic"}), times).await?;
        self.is_decided(ONLINE, &submitted, times).await
    }

    async fn applies(&self, resident: &Resident, item: &str, delivery: &Value, times: &mut Times) -> Played<Submitted> {
        let draft = resident.draft(item, delivery).await?;
        times.of("list drafts", resident.caller().get("/v1/drafts").success()).await?;
        times.of("submit, twice", resident.submit(&draft)).await
    }

    /// Submits a case that no officer decides, and returns its number.
    pub async fn leaves_one_open(&self) -> Played<String> {
        let resident = Resident::by_sms(&self.api, &self.sandbox, new_applicant()).await?;
        resident.prove_identity().await?;
        Ok(self.applies(&resident, ONLINE, &json!({"way": "electronic"}), &mut Times::default()).await?.number)
    }

    async fn is_decided(&self, item: &str, submitted: &Submitted, times: &mut Times) -> Played<()> {
        let agency = self.api.get(&format!("/v1/items/{item}")).success().await?;
        let agency = agency.text("/agency/code").or_else(|_| agency.text("/agency"))?;
        let officer = DeskOfficer::sign_in(&self.api, &format!("officer.{agency}"), &self.password).await?;
        let mut cursor = String::new();
        for _ in 0..3 {
            let queue = officer.caller().get("/staff/v1/cases").query(&[("state", "submitted")]);
            let queue = if cursor.is_empty() { queue } else { queue.query(&[("cursor", &cursor)]) };
            let page = times.of("page of the queue", queue.success()).await?;
            match page.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let by_number = officer.caller().get("/staff/v1/cases").query(&[("number", &submitted.number)]);
        times.of("find by number", by_number.success()).await?;
        times.of("accept", officer.accept(&submitted.id)).await?;
        let result = json!({"title": "证照", "number": format!("ZZ{}", fresh_key())});
        times.of("decide", officer.grant(&submitted.id, &result)).await?;
        let history = officer.caller().get(&format!("/staff/v1/cases/{}/history", submitted.id));
        times.of("history of a case", history.success()).await?;
        let parcels = officer.caller().get("/staff/v1/parcels").query(&[("state", "ordered")]);
        times.of("page of the parcels", parcels.success()).await?;
        Ok(())
    }

    async fn looks(&self, resident: &Resident, submitted: &Submitted, times: &mut Times) -> Played<()> {
        let case = format!("/v1/cases/{}", submitted.id);
        for (step, path) in [
            ("list one's cases", "/v1/cases"),
            ("read a case", &case),
            ("inbox", "/v1/notifications"),
            ("count the unread", "/v1/notifications/unread-count"),
            ("changes", "/v1/changes"),
        ] {
            times.of(step, resident.caller().get(path).success()).await?;
        }
        times.of("timeline", resident.timeline(&submitted.id)).await?;
        let mut session = self
            .api
            .post("/v1/sessions/wechat")
            .json(&json!({"code": format!("wx-{}", fresh_key())}))
            .success()
            .await?;
        let refresh = json!({"refresh_token": session.text("/refresh_token")?});
        session = times.of("refresh a session", self.api.post("/v1/sessions/refresh").json(&refresh).success()).await?;
        let caller = self.api.with_token(session.text("/access_token")?);
        caller.delete("/v1/sessions").success().await?;
        Ok(())
    }

    /// The back-office system reports decisions for new people, and one for an item that is not published.
    async fn decides_elsewhere(&self, times: &mut Times) -> Played<()> {
        let results: Vec<Value> = (0..self.decisions).map(|_| decision(&json!({"phone": fresh_phone()}))).collect();
        times.of("decisions from elsewhere, at once", self.reports(&results)).await?;
        let mut unknown = decision(&json!({"phone": fresh_phone()}));
        unknown["item_code"] = json!("XX-0000");
        self.reports(&[unknown]).await
    }

    async fn reports(&self, results: &[Value]) -> Played<()> {
        let batch = self.back_office.post("/integration/v1/result-batches").once(&fresh_key());
        batch.json(&json!({"results": results})).success().await?;
        Ok(())
    }

    async fn is_looked_after(&self, times: &mut Times) -> Played<()> {
        let operator = DeskOfficer::sign_in(&self.api, self.operator, &self.password).await?;
        let caller = operator.caller();
        let kinds: [&[(&str, &str)]; 5] = [
            &[],
            &[("state", "pending")],
            &[("state", "dead"), ("lane", "courier.ems")],
            &[("state", "done"), ("kind", "no_such_kind")],
            &[("lane", "courier.sf")],
        ];
        for filter in kinds {
            times.of("list jobs", caller.get("/ops/v1/jobs").query(filter).success()).await?;
        }
        times.of("look at the lanes", caller.get("/ops/v1/lanes").success()).await?;
        Ok(())
    }
}

/// Makes a new applicant. The strings are leaked, because [`Applicant`] needs static strings.
fn new_applicant() -> Applicant {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    Applicant {
        name: "王小明",
        resident_id: leak(fresh_resident_id()),
        phone: leak(fresh_phone()),
        home: "西城街道清风路1号2幢301室",
    }
}

fn decision(applicant: &Value) -> Value {
    json!({
        "ref": fresh_key(), "item_code": "JT-0003", "applicant": applicant, "outcome": "grant",
        "reasons": "材料齐全，符合法定条件。", "result": {"title": "社会保障卡", "number": format!("B-{}", fresh_key())},
        "decided_at": "2026-11-20T09:00:00+08:00", "delivery": {"way": "electronic"},
    })
}
