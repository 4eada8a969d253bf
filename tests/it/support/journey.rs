//! A case's way through the API in one line:
//!
//! ```ignore
//! let granted = desk.journey(ITEM).by_courier().submitted().accepted().granted().await;
//! ```
//!
//! Each step can be the last: the result of awaiting a journey is a draft, or a case that is submitted, accepted or
//! granted. By default the applicant is a new resident who signed in by WeChat, and the result is electronic.

use std::marker::PhantomData;
use std::ops::Deref;

use futures_util::future::{FutureExt, LocalBoxFuture};
use serde_json::{Value, json};
use songda::demo::http::{Caller, Reply};
use songda::demo::mishap::Played;
use songda::demo::officer::DeskOfficer;

use super::acts::grant;
use super::arrivals::Decided;
use super::desk::Desk;
use super::people::Person;

/// The type of a journey that ends with a complete draft.
pub enum Drafted {}
/// The type of a journey that ends with a submitted case.
pub enum Submitted {}
/// The type of a journey that ends with an accepted case.
pub enum Accepted {}
/// The type of a journey that ends with a granted case.
pub enum Granted {}

/// A journey that begins when it is awaited.
#[must_use = "a journey begins when it is awaited"]
pub struct Journey<'d, Goal = Drafted> {
    desk: &'d Desk,
    item: &'d str,
    person: Option<Person>,
    by_sms: bool,
    delivery: Delivery,
    goal: PhantomData<Goal>,
}

/// How the result is to be delivered.
enum Delivery {
    Electronic,
    /// To the resident's home.
    Home,
    /// To an address of the resident's address book.
    Address(String),
    /// To be picked up at this hall.
    Counter(&'static str),
}

/// A draft that is ready to be submitted.
pub struct Draft {
    pub resident: Person,
    pub id: String,
}

/// A submitted case.
pub struct Case {
    pub resident: Person,
    pub id: String,
    pub number: String,
}

/// A case that an officer accepted, and possibly granted.
pub struct Handled {
    pub case: Case,
    pub officer: DeskOfficer,
    /// The case's ETag after the acceptance.
    pub etag: String,
}

impl Desk {
    /// Begins to plan a journey.
    pub const fn journey<'d>(&'d self, item: &'d str) -> Journey<'d> {
        Journey { desk: self, item, person: None, by_sms: false, delivery: Delivery::Electronic, goal: PhantomData }
    }
}

impl<'d> Journey<'d, Drafted> {
    /// The applicant is this resident.
    pub fn by(self, person: &Person) -> Self {
        Self { person: Some(person.clone()), ..self }
    }

    /// The applicant is a new resident who signed in by SMS.
    pub fn by_sms(self) -> Self {
        Self { by_sms: true, ..self }
    }

    /// The result goes by courier to the resident's home, which becomes a new entry of the address book.
    pub fn by_courier(self) -> Self {
        Self { delivery: Delivery::Home, ..self }
    }

    /// The result goes by courier to an address of the resident's address book.
    pub fn delivered_to(self, address: &str) -> Self {
        Self { delivery: Delivery::Address(address.to_owned()), ..self }
    }

    /// The result is picked up at a hall's counter.
    pub fn at_counter(self, hall: &'static str) -> Self {
        Self { delivery: Delivery::Counter(hall), ..self }
    }

    /// The resident submits the draft.
    pub fn submitted(self) -> Journey<'d, Submitted> {
        self.with_goal()
    }
}

impl<'d> Journey<'d, Submitted> {
    /// An officer of the agency that decides the item accepts the case.
    pub fn accepted(self) -> Journey<'d, Accepted> {
        self.with_goal()
    }
}

impl<'d> Journey<'d, Accepted> {
    /// The officer who accepted the application grants it.
    pub fn granted(self) -> Journey<'d, Granted> {
        self.with_goal()
    }
}

impl<'d, Goal> Journey<'d, Goal> {
    fn with_goal<Next>(self) -> Journey<'d, Next> {
        let Self { desk, item, person, by_sms, delivery, .. } = self;
        Journey { desk, item, person, by_sms, delivery, goal: PhantomData }
    }

    async fn draft(self) -> Draft {
        let resident = match self.person {
            Some(person) => person,
            None if self.by_sms => self.desk.resident_by_sms().await,
            None => self.desk.resident().await,
        };
        let delivery = match self.delivery {
            Delivery::Electronic => electronic(),
            Delivery::Home => courier(&resident.add_address().await.unwrap()),
            Delivery::Address(address) => courier(&address),
            Delivery::Counter(hall) => json!({"way": "counter", "hall": hall}),
        };
        let id = resident.draft(self.item, &delivery).await.unwrap();
        Draft { resident, id }
    }

    async fn submit(self) -> Case {
        let Draft { resident, id } = self.draft().await;
        let submitted = resident.submit(&id).await.unwrap();
        Case { resident, id: submitted.id, number: submitted.number }
    }

    async fn accept(self) -> Handled {
        let officer = self.desk.officer_for(self.item).await;
        let case = self.submit().await;
        officer.accept(&case.id).await.unwrap();
        let etag = officer.caller().get(&case.staff_path()).success().await.unwrap().etag().to_owned();
        Handled { case, officer, etag }
    }
}

impl<'d> IntoFuture for Journey<'d, Drafted> {
    type Output = Draft;
    type IntoFuture = LocalBoxFuture<'d, Draft>;

    fn into_future(self) -> Self::IntoFuture {
        self.draft().boxed_local()
    }
}

impl<'d> IntoFuture for Journey<'d, Submitted> {
    type Output = Case;
    type IntoFuture = LocalBoxFuture<'d, Case>;

    fn into_future(self) -> Self::IntoFuture {
        self.submit().boxed_local()
    }
}

impl<'d> IntoFuture for Journey<'d, Accepted> {
    type Output = Handled;
    type IntoFuture = LocalBoxFuture<'d, Handled>;

    fn into_future(self) -> Self::IntoFuture {
        self.accept().boxed_local()
    }
}

impl<'d> IntoFuture for Journey<'d, Granted> {
    type Output = Handled;
    type IntoFuture = LocalBoxFuture<'d, Handled>;

    fn into_future(self) -> Self::IntoFuture {
        async {
            let accepted = self.accept().await;
            let granted = accepted.grant(accepted.officer.caller(), &songda::demo::fresh_key()).await.unwrap();
            assert_eq!(granted.status.as_u16(), 200, "{}", granted.body);
            accepted
        }
        .boxed_local()
    }
}

impl Case {
    /// Returns the case's path in the mobile API.
    pub fn path(&self) -> String {
        format!("/v1/cases/{}", self.id)
    }

    /// Returns the case's path in the staff API.
    pub fn staff_path(&self) -> String {
        format!("/staff/v1/cases/{}", self.id)
    }

    /// Returns the decision that is to arrive at the resident.
    pub fn decided(&self) -> Decided {
        let openid = self.resident.openid_if_any().map(str::to_owned);
        Decided { number: self.number.clone(), phone: self.resident.phone().to_owned(), openid }
    }
}

impl Handled {
    /// Grants the case at its version after the acceptance, under this idempotency key. `officer` can be a caller of
    /// any API process.
    pub async fn grant(&self, officer: &Caller, key: &str) -> Played<Reply> {
        let call = officer.post(&format!("{}/decision", self.staff_path())).if_match(&self.etag).once(key);
        call.json(&grant()).answer().await
    }
}

impl Deref for Handled {
    type Target = Case;

    fn deref(&self) -> &Case {
        &self.case
    }
}

/// Returns the delivery of a result that stays electronic.
pub fn electronic() -> Value {
    json!({"way": "electronic"})
}

/// Returns the delivery of a result by courier to an address of the resident's address book.
pub fn courier(address: &str) -> Value {
    json!({"way": "courier", "address": address})
}
