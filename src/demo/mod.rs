//! The player behind `songda demo`: plays the main job from outside, knowing nothing but HTTP, and believes only what
//! the sandbox remembers of phones and carriers.
//!
//! - [`journeys`]: a resident's certificate over WeChat and EMS; a company's licence over SMS and SF Express;
//! - [`batch`]: two hundred decisions of a back-office system, while the gateways fail.

pub mod back_office;
pub mod batch;
pub mod form;
pub mod http;
pub mod journeys;
pub mod mishap;
pub mod officer;
pub mod resident;
pub mod sandbox;
pub mod story;
pub mod wait;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use reqwest::Url;

use crate::domain::clock::random_bytes;
use crate::domain::private::Private;
use crate::env::Env;

use self::http::Caller;
use self::mishap::{Mishap, Played};
use self::sandbox::Sandbox;
use self::story::Story;
use self::wait::until;

/// How long a step of a journey may take before it counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the player has to know.
pub struct Settings {
    /// Where the API is.
    pub api: Url,
    /// Where the sandbox is.
    pub sandbox: Url,
    /// The officers' password. Their names are `officer.<agency>`.
    pub officer_password: Private<String>,
    /// The id of the back-office system.
    pub client: String,
    /// The file of its private key, PEM.
    pub client_key: PathBuf,
    /// The decisions of the back-office system, one JSON object a line.
    pub results: PathBuf,
}

impl Settings {
    /// Reads the settings.
    pub fn read(env: &mut Env) -> Option<Self> {
        let api = env.required("SONGDA_DEMO_API_URL", "where the player finds the API");
        let sandbox = env.required("SONGDA_DEMO_SANDBOX_URL", "where the player finds the sandbox");
        let officer_password = env.secret(
            "SONGDA_DEMO_OFFICER_PASSWORD",
            "password of the player's officers, who are called officer.<agency>",
        );
        let client = env.required("SONGDA_DEMO_CLIENT", "id of the player's back-office system");
        let client_key = env.required("SONGDA_DEMO_CLIENT_KEY_FILE", "file of its private key (PEM)");
        let results = env.or(
            "SONGDA_DEMO_RESULTS",
            "catalog/demo/results.jsonl",
            "file of its decisions, one JSON object a line",
        );
        Some(Self {
            api: api?,
            sandbox: sandbox?,
            officer_password: officer_password?,
            client: client?,
            client_key: client_key?,
            results: results?,
        })
    }
}

/// Where a play takes place.
pub struct Stage {
    /// The API, for whoever has no token yet.
    pub api: Caller,
    /// The sandbox.
    pub sandbox: Sandbox,
    /// The teller.
    pub story: Story,
    settings: Settings,
}

impl Stage {
    /// Waits until the API answers, and tells the sandbox where it is, for callbacks.
    async fn open(settings: Settings) -> Played<Self> {
        let api = Caller::new(settings.api.clone())?;
        let sandbox = Sandbox::new(settings.sandbox.clone())?;
        until("the API is ready", PATIENCE, async || {
            Ok(api.get("/readyz").answer().await.ok().filter(|reply| reply.status.is_success()))
        })
        .await?;
        sandbox.aim(&settings.api).await?;
        Ok(Self { api, sandbox, story: Story::begin(), settings })
    }
}

/// Plays everything, and says in the last line that it prints how it went: `PASS …` or `FAIL …`.
pub async fn play(settings: Settings) -> bool {
    match journey_by_journey(settings).await {
        Ok(words) => println!("PASS {words}"),
        Err(mishap) => {
            println!("FAIL {mishap}");
            return false;
        }
    }
    true
}

async fn journey_by_journey(settings: Settings) -> Played<String> {
    let stage = Stage::open(settings).await?;
    journeys::certificate(&stage).await?;
    journeys::licence(&stage).await?;
    let decisions = batch::play(&stage).await?;
    let seconds = stage.story.seconds();
    Ok(format!("2 journeys and {decisions} decisions, each message once, one order per parcel, in {seconds} s"))
}

/// A key that nobody used before: for `Idempotency-Key`, `jti` and the names of new people.
#[must_use]
pub fn fresh_key() -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random_bytes::<12>()).replace(['-', '_'], "x")
}

/// A mobile number that nobody had before, as far as eight random digits can promise.
#[must_use]
pub fn fresh_phone() -> String {
    format!("139{:08}", crate::domain::clock::random_below(100_000_000))
}

/// Fails a play when something is not as it should be.
///
/// # Errors
/// [`Mishap::Wrong`], where `holds` is false.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Played<()> {
    if holds { Ok(()) } else { Err(Mishap::Wrong(otherwise())) }
}
