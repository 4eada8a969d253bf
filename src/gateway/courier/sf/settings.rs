//! The installation's account at SF and the terms of its contract.

use reqwest::Url;

use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::env::risk::Risk;
use crate::gateway::courier::{CallbackAccess, CallbackNames};
use crate::gateway::shared::http::{Http, HttpNames, is_unprotected};

const HTTP: HttpNames =
    HttpNames { base_url: "SONGDA_SF_URL", default_url: "https://sfapi.sf-express.com", timeout: "SONGDA_SF_TIMEOUT" };

/// SF allows thirty calls a second to each of its services, unless a contract allows more.
const PACE: PaceNames =
    PaceNames { rate: "SONGDA_SF_RATE", default_rate: "30", slots: "SONGDA_SF_SLOTS", default_slots: "16" };

const CALLBACKS: CallbackNames = CallbackNames {
    secret: "SONGDA_SF_CALLBACK_SECRET",
    previous: "SONGDA_SF_CALLBACK_SECRET_PREVIOUS",
    sources: "SONGDA_SF_CALLBACK_SOURCES",
};

pub(super) struct SfSettings {
    pub(super) http: Http,
    pub(super) pace: Pace,
    pub(super) partner_id: String,
    pub(super) check_word: Private<String>,
    pub(super) callbacks: CallbackAccess,
    pub(super) label_template: String,
    /// HTTP clients for the base URLs, other than `SONGDA_SF_URL`, below which SF stores label files.
    pub(super) label_hosts: Vec<Http>,
    // Values that are the same in every order.
    pub(super) monthly_card: String,
    pub(super) express_type: u32,
    pub(super) payer: u32,
}

impl SfSettings {
    pub(super) fn read(env: &mut Env) -> Option<Self> {
        let http = Http::read(env, &HTTP);
        let pace = Pace::read(env, &PACE);
        let partner_id: Option<String> = env.required("SONGDA_SF_PARTNER_ID", "customer code (顾客编码) at SF");
        let check_word = env.secret("SONGDA_SF_CHECK_WORD", "check word (校验码) that belongs to the customer code");
        let callbacks = CallbackAccess::read(env, &CALLBACKS);
        let template_meaning = "SF's label template; if not set, fm_76130_standard_ and the customer code";
        let label_template = env.optional("SONGDA_SF_LABEL_TEMPLATE", template_meaning);
        let label_urls = label_urls(env);
        let monthly_card: Option<String> =
            env.required("SONGDA_SF_MONTHLY_CARD", "SF monthly account (月结卡号) that is billed, ten digits");
        if monthly_card.as_deref().is_some_and(|card| card.len() != 10 || !card.bytes().all(|d| d.is_ascii_digit())) {
            env.fault("SONGDA_SF_MONTHLY_CARD is not ten digits");
        }
        let express_type = env.or("SONGDA_SF_EXPRESS_TYPE", "2", "SF product by contract: 1 fast, 2 standard");
        let payer = env.or("SONGDA_SF_PAYER", "1", "payer of SF: 1 sender, 2 recipient, 3 third party");
        let partner_id = partner_id?;
        let http = http?;
        Some(Self {
            label_hosts: label_urls?.into_iter().map(|url| http.at(url)).collect(),
            http,
            pace: pace?,
            check_word: check_word?,
            callbacks: callbacks?,
            label_template: label_template.unwrap_or_else(|| format!("fm_76130_standard_{partner_id}")),
            monthly_card: monthly_card?,
            express_type: express_type?,
            payer: payer?,
            partner_id,
        })
    }
}

fn label_urls(env: &mut Env) -> Option<Vec<Url>> {
    let meaning = "base URLs below which SF keeps label files, separated by commas, besides SONGDA_SF_URL";
    let text: String = env.or("SONGDA_SF_LABEL_URLS", "", meaning)?;
    let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::parse);
    let urls = urls.collect::<Result<Vec<Url>, _>>();
    let urls = urls.map_err(|_| env.fault("SONGDA_SF_LABEL_URLS contains something that is not a URL")).ok()?;
    if urls.iter().any(is_unprotected) {
        env.risk(Risk::HttpGateways, "SONGDA_SF_LABEL_URLS contains an address that begins with http://");
    }
    Some(urls)
}
