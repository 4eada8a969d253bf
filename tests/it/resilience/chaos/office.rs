//! A back-office system under load: clerks hand decisions in, one at a time or many at once, each for somebody new. Where
//! an answer is lost or puts them off they hand the same in again, until they are told that it is taken.

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
use super::insist::{Answer, ask, insist};
use super::plan::Plan;
use super::told::{Ledger, Told};
use super::town::Town;
use crate::support::office::result;

/// Who hands in.
pub const SOURCE: &str = "chaos";
const CLERKS: u32 = 12;
/// Items whose results go by the post, by the first carrier that the town has, or over the phone alone.
const ITEMS: [(&str, Option<&str>); 3] = [("JT-0045", Some("ems")), ("JT-0067", Some("sf")), ("JT-0003", None)];
const AGENCIES: &str = "public-security,administrative-approval,human-resources";

/// The system.
pub struct Office {
    api: Caller,
    client: String,
    key: PathBuf,
    token: RwLock<String>,
    ledger: Arc<Ledger>,
    /// How long a clerk rests after a decision, on average.
    rest: Duration,
}

/// A decision, before anybody was told of it.
pub struct Decided {
    row: Value,
    /// The phone that is to ring for it.
    pub phone: String,
    carrier: Option<&'static str>,
}

impl Office {
    /// Makes the system known, and signs it in.
    pub async fn open(town: &Town, plan: &Plan, ledger: &Arc<Ledger>) -> Self {
        let key = town.folder.path_of("office.pem");
        let add =
            ["clients", "add", "--source", SOURCE, "--name", "测试系统", "--agencies", AGENCIES, "--key-file", &key];
        let client = town.songda(&add).await.trim().to_owned();
        let rest = Duration::from_secs(u64::from(CLERKS)) / plan.rate;
        let (api, ledger, token) = (town.api.clone(), Arc::clone(ledger), RwLock::default());
        let office = Self { api, client, key: key.into(), token, ledger, rest };
        office.sign_in().await.unwrap();
        office
    }

    /// All clerks work until they are told to go home; then each finishes what it has begun.
    pub async fn work(&self, seed: u64, go_home: &CancellationToken) {
        join_all((0..CLERKS).map(|clerk| self.clerk(Dice::new(seed, &format!("clerk {clerk}")), go_home))).await;
    }

    async fn clerk(&self, mut dice: Dice, go_home: &CancellationToken) {
        const PER_MILLE: u32 = 1_000;
        while !go_home.is_cancelled() {
            let count = if dice.chance(10) { 2 + dice.below(19) } else { 1 };
            let decided: Vec<Decided> = (0..count).map(|_| Decided::new(*dice.pick(&ITEMS))).collect();
            match &decided[..] {
                [one] => self.hand_in(one, &mut dice).await,
                several => self.hand_in_all(several).await,
            }
            let share = u32::try_from(dice.below(2 * PER_MILLE as usize * count)).unwrap();
            go_home.run_until_cancelled(tokio::time::sleep(self.rest * share / PER_MILLE)).await;
        }
    }

    /// Hands so many in at once, as somebody who measures does.
    pub async fn hand_in_at_once(&self, count: usize) {
        let decided: Vec<Decided> = (0..count).map(|_| Decided::new(ITEMS[2])).collect();
        self.hand_in_all(&decided).await;
    }

    /// A decision that goes over the phone alone.
    pub fn decided() -> Decided {
        Decided::new(ITEMS[2])
    }

    /// Hands one in over another way; whether an answer came.
    pub async fn try_over(&self, api: &Caller, one: &Decided) -> bool {
        matches!(self.put(api, one).await, Answer::Told(_))
    }

    /// Hands one in until it is taken.
    pub async fn hand_in(&self, one: &Decided, dice: &mut Dice) {
        loop {
            let told = insist(&self.ledger, async || self.put(&self.api, one).await, self.sign_in_again()).await;
            let Some(told) = told else { return };
            self.ledger.taken(one.reference(), told);
            // Some forget that they were told, and hand in again.
            if !dice.chance(5) {
                return;
            }
        }
    }

    async fn put(&self, api: &Caller, one: &Decided) -> Answer<Told> {
        let mut body = one.row.clone();
        body.as_object_mut().unwrap().remove("ref");
        let path = format!("/integration/v1/results/{SOURCE}/{}", one.reference());
        let call = api.with_token(self.token()).put(&path).once(one.reference()).json(&body);
        match ask(call, &[]).await {
            Answer::Told(reply) => reply
                .text("/number")
                .map_or_else(|mishap| Answer::Wrong(mishap.to_string()), |number| Answer::Told(one.told(number))),
            Answer::Later => Answer::Later,
            Answer::Broken(what) => Answer::Broken(what),
            Answer::SignIn => Answer::SignIn,
            Answer::Wrong(what) => Answer::Wrong(what),
        }
    }

    async fn hand_in_all(&self, decided: &[Decided]) {
        let rows: Vec<&Value> = decided.iter().map(|one| &one.row).collect();
        let (body, key) = (json!({"results": rows}), fresh_key());
        let post = async || {
            let call = self.api.with_token(self.token()).post("/integration/v1/result-batches");
            ask(call.once(&key).json(&body), &[]).await
        };
        let Some(reply) = insist(&self.ledger, post, self.sign_in_again()).await else { return };
        let verdicts = reply.rows().unwrap();
        for (one, verdict) in decided.iter().zip(verdicts) {
            match verdict["number"].as_str() {
                Some(number) => self.ledger.taken(one.reference(), one.told(number.to_owned())),
                // What was put off alone is handed in alone.
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
        // If it does not work, the next call says so once more.
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

    fn told(&self, number: String) -> Told {
        Told { number, phone: self.phone.clone(), openid: None, carrier: self.carrier }
    }
}
