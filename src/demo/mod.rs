//! The player behind `songda demo`: plays the main job from outside, knowing nothing but HTTP, and believes only what
//! the sandbox remembers of phones and carriers.
//!
//! - [`journeys`]: a resident's certificate over WeChat and EMS; a company's licence over SMS and SF Express;
//! - [`batch`]: two hundred decisions of a back-office system, while the gateways fail; everybody is told once.

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

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use reqwest::Url;

use crate::domain::kernel::clock::random_bytes;
use crate::domain::kernel::private::Private;
use crate::env::Env;

use self::http::Caller;
use self::mishap::{Mishap, Played};
use self::officer::Officer;
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
    /// The back-office system.
    pub batch: batch::Settings,
}

impl Settings {
    /// Reads the settings.
    pub fn read(env: &mut Env) -> Option<Self> {
        let api = env.required("SONGDA_DEMO_API_URL", "where the player finds the API");
        let sandbox = env.required("SONGDA_DEMO_SANDBOX_URL", "where the player finds the sandbox");
        let officer_password =
            env.secret("SONGDA_DEMO_OFFICER_PASSWORD", "password of the player's officers, called officer.<agency>");
        let batch = batch::Settings::read(env);
        Some(Self { api: api?, sandbox: sandbox?, officer_password: officer_password?, batch: batch? })
    }
}

/// Where a play takes place.
pub struct Stage {
    /// The API, for whoever has no token yet.
    pub api: Caller,
    pub sandbox: Sandbox,
    pub story: Story,
    /// Whether the player moves the parcels of its journeys itself, at once; otherwise the sandbox moves them in its
    /// own time.
    pub moves_parcels: bool,
    officer_password: Private<String>,
}

impl Stage {
    /// A stage, where the player moves the parcels; the story begins now.
    #[must_use]
    pub fn new(api: Caller, sandbox: Sandbox, officer_password: Private<String>) -> Self {
        Self { api, sandbox, story: Story::begin(), moves_parcels: true, officer_password }
    }

    /// An officer of the agency that decides an item.
    async fn officer_for(&self, item: &str) -> Played<Officer> {
        let guide = self.api.get(&format!("/v1/items/{item}")).success().await?;
        let agency = guide.at("/agency")?;
        let agency = agency.as_str().or_else(|| agency["code"].as_str()).unwrap_or_default();
        Officer::sign_in(&self.api, &format!("officer.{agency}"), self.officer_password.expose()).await
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
    let api = Caller::new(settings.api.clone())?;
    let sandbox = Sandbox::new(settings.sandbox)?;
    until("the API is ready", PATIENCE, async || {
        Ok(api.get("/readyz").answer().await.ok().filter(|reply| reply.status.is_success()))
    })
    .await?;
    sandbox.aim(&settings.api).await?;
    let stage = Stage { moves_parcels: false, ..Stage::new(api, sandbox, settings.officer_password) };
    journeys::certificate(&stage).await?;
    journeys::licence(&stage).await?;
    let decisions = batch::play(&stage, &settings.batch).await?;
    let seconds = stage.story.seconds();
    Ok(format!("2 journeys and {decisions} decisions, each message once, one order per parcel, in {seconds} s"))
}

/// A key that nobody used before: for `Idempotency-Key`, `jti` and the names of new people.
#[must_use]
pub fn fresh_key() -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random_bytes::<12>()).replace(['-', '_'], "x")
}

/// A mobile number that nobody had before in this process. A thousand at random would be enough for two of them to meet
/// every two hundredth time, so only the first is random.
#[must_use]
pub fn fresh_phone() -> String {
    const ALL: u64 = 100_000_000;
    static FIRST: LazyLock<u64> = LazyLock::new(|| crate::domain::kernel::clock::random_below(ALL));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("139{:08}", (*FIRST + NEXT.fetch_add(1, Ordering::Relaxed)) % ALL)
}

/// A synthetic 公民身份号码 with its check character (GB 11643), of somebody new.
#[must_use]
pub fn fresh_resident_id() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const WEIGHTS: [usize; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (day, order) = (number / 999 % 28 + 1, number % 999 + 1);
    let digits = format!("320413198506{day:02}{order:03}");
    let sum: usize = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    let check = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'][sum % 11];
    format!("{digits}{check}")
}

/// Fails a play when something is not as it should be.
///
/// # Errors
/// [`Mishap::Wrong`], where `holds` is false.
pub fn check(holds: bool, otherwise: impl FnOnce() -> String) -> Played<()> {
    if holds { Ok(()) } else { Err(Mishap::Wrong(otherwise())) }
}
