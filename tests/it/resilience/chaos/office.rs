//! A back-office system under load: clerks report decisions, one at a time or many at once, each for a new applicant.
//! If an answer is lost or says "later", they report the same again until it is accepted.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::back_office::BackOffice;
use songda::demo::http::Caller;
use songda::demo::mishap::Played;
use songda::demo::{fresh_key, fresh_phone};
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::ledger::{Ledger, Promise};
use super::plan::Plan;
use super::retry::{Answer, ask, retry};
use super::town::Town;
use crate::support::items::AGENCIES;
use crate::support::office::result;

/// The name under which the system reports.
pub const SOURCE: &str = "chaos";
const CLERKS: u32 = 12;
/// Items with the carrier of their results: EMS, SF, or none.
const ITEMS: [(&str, Option<&str>); 3] = [("JT-0045", Some("ems")), ("JT-0067", Some("sf")), ("JT-0003", None)];

pub struct Office {
    api: Caller,
    client: String,
    key: PathBuf,
    token: RwLock<String>,
    ledger: Arc<Ledger>,
    /// How long a clerk pauses after a decision, on average. A clerk is a task that reports decisions.
    rest: Duration,
}

/// A decision that is not reported yet.
pub struct Decided {
    row: Value,
    /// The phone at which the message must arrive.
    pub phone: String,
    carrier: Option<&'static str>,
}

impl Office {
    /// Registers the system, and gets a token.
    pub async fn open(town: &Town, plan: &Plan, ledger: &Arc<Ledger>) -> Self {
        let key = town.folder.path_of("office.pem");
        let add =
            ["clients", "add", "--source", SOURCE, "--name", "测试系统", "--agencies", AGENCIES, "--key-file", &key];
        let client = town.songda(&add).await.trim().to_owned();
        let rest = Duration::from_secs(u64::from(CLERKS)) / plan.rate;
        let api = town.api.clone();
        let ledger = Arc::clone(ledger);
        let office = Self { api, client, key: key.into(), token: RwLock::default(), ledger, rest };
        office.sign_in().await.unwrap();
        office
    }

    /// All clerks work until `stop`, and then finish what they began.
    pub async fn work(&self, seed: u64, stop: &CancellationToken) {
        join_all((0..CLERKS).map(|clerk| self.clerk(Dice::new(seed, &format!("clerk {clerk}")), stop))).await;
    }

    async fn clerk(&self, mut dice: Dice, stop: &CancellationToken) {
        const PER_MILLE: u32 = 1_000;
        while !stop.is_cancelled() {
            let count = if dice.chance(10) { 2 + dice.below(19) } else { 1 };
            let decided: Vec<Decided> = (0..count).map(|_| Decided::new(*dice.pick(&ITEMS))).collect();
            match &decided[..] {
                [one] => self.hand_in(one, &mut dice).await,
                several => self.hand_in_all(several).await,
            }
            let share = u32::try_from(dice.below(2 * PER_MILLE as usize * count)).unwrap();
            stop.run_until_cancelled(tokio::time::sleep(self.rest * share / PER_MILLE)).await;
        }
    }

    /// Hands in a batch of this many decisions.
    pub async fn hand_in_at_once(&self, count: usize) {
        let decided: Vec<Decided> = (0..count).map(|_| Decided::new(ITEMS[2])).collect();
        self.hand_in_all(&decided).await;
    }

    /// Makes a decision without a parcel.
    pub fn decided() -> Decided {
        Decided::new(ITEMS[2])
    }

    /// Hands in a decision once, at another address of the API. Returns true if the API accepted it.
    pub async fn try_at(&self, api: &Caller, one: &Decided) -> bool {
        matches!(self.put(api, one).await, Answer::Success(_))
    }

    /// Hands in a decision until it is accepted.
    pub async fn hand_in(&self, one: &Decided, dice: &mut Dice) {
        loop {
            let promise = retry(&self.ledger, async || self.put(&self.api, one).await, self.sign_in_again()).await;
            let Some(promise) = promise else { return };
            self.ledger.promised(one.reference(), promise);
            // Some clients forget the answer, and hand in the same again.
            if !dice.chance(5) {
                return;
            }
        }
    }

    async fn put(&self, api: &Caller, one: &Decided) -> Answer<Promise> {
        let mut body = one.row.clone();
        body.as_object_mut().unwrap().remove("ref");
        let path = format!("/integration/v1/results/{SOURCE}/{}", one.reference());
        let call = api.with_token(self.token()).put(&path).once(one.reference()).json(&body);
        match ask(call, &[]).await {
            Answer::Success(reply) => reply
                .text("/number")
                .map_or_else(|mishap| Answer::Wrong(mishap.to_string()), |number| Answer::Success(one.promise(number))),
            Answer::Later => Answer::Later,
            Answer::Broken(what) => Answer::Broken(what),
            Answer::SignIn => Answer::SignIn,
            Answer::Wrong(what) => Answer::Wrong(what),
        }
    }

    async fn hand_in_all(&self, decided: &[Decided]) {
        let rows: Vec<&Value> = decided.iter().map(|one| &one.row).collect();
        let body = json!({"results": rows});
        let key = fresh_key();
        let post = async || {
            let call = self.api.with_token(self.token()).post("/integration/v1/result-batches");
            ask(call.once(&key).json(&body), &[]).await
        };
        let Some(reply) = retry(&self.ledger, post, self.sign_in_again()).await else { return };
        let verdicts = reply.rows().unwrap();
        for (one, verdict) in decided.iter().zip(verdicts) {
            match verdict["number"].as_str() {
                Some(number) => self.ledger.promised(one.reference(), one.promise(number.to_owned())),
                // A row that was answered 503 is handed in alone.
                None if verdict["status"] == 503 => self.hand_in(one, &mut Dice::new(0, one.reference())).await,
                None => self.ledger.wrong(format!("{}: {verdict}", one.reference())),
            }
        }
        if verdicts.len() != decided.len() {
            self.ledger.wrong(format!("{} verdicts on {} rows", verdicts.len(), decided.len()));
        }
    }

    fn token(&self) -> String {
        self.token.read().unwrap().clone()
    }

    async fn sign_in(&self) -> Played<()> {
        let token = BackOffice::token(&self.api, &self.client, &self.key).await?;
        *self.token.write().unwrap() = token;
        Ok(())
    }

    fn sign_in_again(&self) -> impl AsyncFnMut() {
        // If this sign-in fails, the next request is answered 401 as well, and the client signs in again.
        async || drop(self.sign_in().await)
    }
}

impl Decided {
    fn new((item, carrier): (&str, Option<&'static str>)) -> Self {
        let phone = fresh_phone();
        let mut row = result(&phone);
        row["item_code"] = json!(item);
        if carrier.is_none() {
            row["delivery"] = json!({"way": "electronic"});
        }
        Self { row, phone, carrier }
    }

    fn reference(&self) -> &str {
        self.row["ref"].as_str().unwrap()
    }

    fn promise(&self, number: String) -> Promise {
        Promise { number, phone: self.phone.clone(), openid: None, carrier: self.carrier }
    }
}
