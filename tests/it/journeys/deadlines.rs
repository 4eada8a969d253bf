//! The clocks of law, over HTTP and as the days go by, on the working days that were really announced.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::demo::resident::Resident;
use songda::domain::kernel::clock::{Clock, Instant};

use crate::support::acts::{act, refused};
use crate::support::desk::Desk;

const POLICE: &str = "public-security";
/// 居住证申领: promised within 7 working days, owed within 15 days.
const PERMIT: &str = "JT-0045";

const APPLICANT: Applicant =
    Applicant { name: "王小明", resident_id: "320422198506150024", phone: "13800138000", home: "清风路1号" };

/// A desk whose days the test turns over.
struct Days {
    desk: Desk,
    now: Arc<Mutex<Instant>>,
    clock: Clock,
    someone: String,
}

impl Days {
    async fn begin(at: &str) -> Self {
        let now = Arc::new(Mutex::new(at.parse::<Instant>().unwrap()));
        let clock = Clock::told({
            let now = Arc::clone(&now);
            move || *now.lock().unwrap()
        });
        let mut desk = Desk::open_in_2026(&clock).await;
        desk.leave_jobs();
        Self { desk, now, clock, someone: format!("wx-{}", fresh_key()) }
    }

    fn go_to(&self, at: &str) {
        *self.now.lock().unwrap() = at.parse().unwrap();
    }

    /// The applicant, who signs in anew: a token lives for minutes, and a code of WeChat's works once.
    async fn resident(&self) -> Resident {
        let code = format!("{}.{}", self.someone, fresh_key());
        let mut resident = Resident::by_wechat(&self.desk.api, &code, APPLICANT).await.unwrap();
        resident.clock = self.clock.clone();
        resident.prove_identity().await.unwrap();
        resident
    }

    /// An officer, who signs in anew.
    async fn officer(&self, agency: &str) -> Caller {
        self.desk.officer(agency).await.caller().clone()
    }

    /// Submits an application for an item.
    async fn submit(&self, item: &str) -> String {
        let resident = self.resident().await;
        let draft = resident.draft(item, &json!({"way": "electronic"})).await.unwrap();
        resident.submit(&draft).await.unwrap().id
    }
}

fn notice() -> Value {
    json!({"points": ["缺少居住证明"]})
}

/// What a case says of its days: due, accepted, promised, legal.
fn days(case: &Value) -> [Option<&str>; 4] {
    ["due_on", "accepted_on", "promised_on", "legal_on"].map(|day| case[day].as_str())
}

#[tokio::test]
async fn silence_of_five_working_days_accepts_from_the_day_of_receipt() {
    let time = Days::begin("2026-09-18T10:00:00+08:00").await;
    let case = time.submit(PERMIT).await;
    time.go_to("2026-09-28T10:00:00+08:00");
    let officer = time.officer(POLICE).await;
    let read = officer.get(&format!("/staff/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(days(&read.body), [Some("2026-09-24"), None, None, None], "Sunday 09-20 is worked");

    refused(&act(&officer, &case, "supplement-notice", &notice()).await, 409, "supplement_notice_too_late");
    let accepted = act(&officer, &case, "acceptance", &json!({})).await;
    let owed = [Some("2026-09-29"), Some("2026-09-18"), Some("2026-09-29"), Some("2026-10-08")];
    assert_eq!(days(&accepted.body), owed, "10-03 is a day of rest: {}", accepted.body);

    time.go_to("2026-09-30T10:00:00+08:00");
    let officer = time.officer(POLICE).await;
    let grant = json!({"outcome": "grant", "result": {"title": "居住证"}});
    let decided = act(&officer, &case, "decision", &grant).await;
    assert_eq!(days(&decided.body), [None, owed[1], owed[2], owed[3]], "nothing is owed, and nothing forgotten");
    assert_eq!(decided.at("/decision/missed").unwrap(), "promise");
    let shown = time.resident().await.caller().get(&format!("/v1/cases/{case}")).success().await.unwrap();
    assert_eq!(shown.body, decided.body, "the applicant may know");
    time.desk.close().await;
}

#[tokio::test]
async fn after_a_notice_the_day_of_the_answer_accepts() {
    let time = Days::begin("2026-09-18T10:00:00+08:00").await;
    let case = time.submit(PERMIT).await;
    time.go_to("2026-09-24T23:59:00+08:00");
    let noticed = act(&time.officer(POLICE).await, &case, "supplement-notice", &notice()).await;
    assert_eq!(noticed.at("/state").unwrap(), "supplement_noticed", "the last day is in time: {}", noticed.body);

    time.go_to("2026-10-09T10:00:00+08:00");
    let resident = time.resident().await;
    let answer = resident.caller().post(&format!("/v1/cases/{case}/supplement")).json(&json!({"note": "已补交"}));
    let answered = answer.success().await.unwrap();
    assert_eq!(days(&answered.body), [Some("2026-10-15"), None, None, None], "Saturday 10-10 is worked");

    time.go_to("2026-10-14T10:00:00+08:00");
    let accepted = act(&time.officer(POLICE).await, &case, "acceptance", &json!({})).await;
    let owed = [Some("2026-10-19"), Some("2026-10-09"), Some("2026-10-19"), Some("2026-10-26")];
    assert_eq!(days(&accepted.body), owed, "10-24 is a day of rest: {}", accepted.body);
    time.desk.close().await;
}

#[tokio::test]
async fn a_promise_within_the_known_year_is_accepted_though_the_law_reaches_into_the_next() {
    let time = Days::begin("2026-11-25T10:00:00+08:00").await;
    let items = [
        ("JT-0048", POLICE, "2026-12-23"),
        ("JT-0033", "towns", "2026-12-23"),
        ("JT-0073", "natural-resources", "2026-11-26"),
    ];
    for (item, agency, promised_on) in items {
        let case = time.submit(item).await;
        if agency != POLICE {
            let add = ["staff", "add", &format!("officer.{agency}"), "--name", "测试人员", "--agency", agency];
            time.desk.songda(&[&add[..], &["--role", "officer"]].concat()).await;
        }
        let accepted = act(&time.officer(agency).await, &case, "acceptance", &json!({})).await;
        let promised_on = Some(promised_on);
        assert_eq!(days(&accepted.body), [promised_on, Some("2026-11-25"), promised_on, None], "{item}");
    }
    time.desk.close().await;
}

#[tokio::test]
async fn the_queue_is_read_by_due_date_over_its_pages() {
    let time = Days::begin("2026-03-02T10:00:00+08:00").await;
    let mut submitted = Vec::new();
    for day in ["2026-03-04", "2026-03-02", "2026-03-06", "2026-03-03", "2026-03-05"] {
        time.go_to(&format!("{day}T10:00:00+08:00"));
        submitted.push((day, time.submit(PERMIT).await));
    }
    time.go_to("2026-03-06T11:00:00+08:00");
    let officer = time.officer(POLICE).await;
    // Whoever waits for their applicant is last, and whoever is accepted is due later than they were.
    act(&officer, &submitted[1].1, "supplement-notice", &notice()).await;
    act(&officer, &submitted[3].1, "acceptance", &json!({})).await;

    let (mut read, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..5 {
        let call = officer.get("/staff/v1/cases").query(&[("limit", "2")]);
        let call = cursor.iter().fold(call, |call, cursor| call.query(&[("cursor", cursor)]));
        let page = call.success().await.unwrap();
        read.extend(page.rows().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        cursor = page.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let ordered = [0, 4, 2, 3, 1].map(|at: usize| submitted[at].1.clone());
    assert_eq!(read, ordered, "{submitted:?}");

    let waiting = officer.get("/staff/v1/cases").query(&[("state", "supplement_noticed")]).success().await.unwrap();
    assert_eq!(waiting.rows().unwrap().len(), 1);
    time.desk.close().await;
}

#[tokio::test]
async fn a_grant_by_courier_near_the_years_end_waits_for_no_calendar() {
    let time = Days::begin("2026-12-14T10:00:00+08:00").await;
    let resident = time.resident().await;
    let address = resident.add_address().await.unwrap();
    let draft = resident.draft(PERMIT, &json!({"way": "courier", "address": address})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let officer = time.officer(POLICE).await;
    assert_eq!(act(&officer, &case, "acceptance", &json!({})).await.at("/state").unwrap(), "accepted");

    // Ten working days from here end in 2027.
    time.go_to("2026-12-18T10:00:00+08:00");
    let officer = time.officer(POLICE).await;
    let grant = json!({"outcome": "grant", "result": {"title": "居住证"}});
    let decided = act(&officer, &case, "decision", &grant).await;
    assert_eq!((decided.status.as_u16(), decided.at("/state").unwrap().as_str()), (200, Some("granted")));
    let shown = officer.get(&format!("/staff/v1/cases/{case}/parcels")).success().await.unwrap();
    let [parcel] = shown.rows().unwrap() else { panic!("one parcel: {}", shown.body) };
    assert_eq!((parcel["state"].as_str(), parcel.get("serve_by")), (Some("pending"), None));
    time.desk.close().await;
}

#[tokio::test]
async fn what_is_due_in_an_unknown_year_waits_for_its_calendar() {
    let time = Days::begin("2026-12-10T10:00:00+08:00").await;
    let case = time.submit("JT-0048").await;
    let accepted = act(&time.officer(POLICE).await, &case, "acceptance", &json!({})).await;
    refused(&accepted, 503, "calendar_unknown");
    assert!(!accepted.header("retry-after").is_empty() && accepted.at("/detail").unwrap().to_string().contains("2027"));

    time.go_to("2026-12-28T10:00:00+08:00");
    let resident = time.resident().await;
    let draft = resident.draft(PERMIT, &json!({"way": "electronic"})).await.unwrap();
    let submit = resident.caller().post("/v1/cases").once(&fresh_key()).json(&json!({"draft": draft}));
    refused(&submit.answer().await.unwrap(), 503, "calendar_unknown");
    time.desk.close().await;
}
