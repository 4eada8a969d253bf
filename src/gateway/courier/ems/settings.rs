//! The installation's account at EMS and the terms of its contract.

use super::cipher::Sm4Key;
use super::refusals::{DEFAULT, Refusals};
use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::courier::{CallbackAccess, CallbackNames};
use crate::gateway::shared::http::{Http, HttpNames};

const HTTP: HttpNames =
    HttpNames { base_url: "SONGDA_EMS_URL", default_url: "https://api.ems.com.cn", timeout: "SONGDA_EMS_TIMEOUT" };

/// EMS documents no limit, so the default is low. A contract may allow more.
const PACE: PaceNames =
    PaceNames { rate: "SONGDA_EMS_RATE", default_rate: "5", slots: "SONGDA_EMS_SLOTS", default_slots: "8" };

const CALLBACKS: CallbackNames = CallbackNames {
    secret: "SONGDA_EMS_CALLBACK_SECRET",
    previous: "SONGDA_EMS_CALLBACK_SECRET_PREVIOUS",
    sources: "SONGDA_EMS_CALLBACK_SOURCES",
};

pub(super) struct EmsSettings {
    pub(super) http: Http,
    pub(super) pace: Pace,
    pub(super) path: String,
    pub(super) sender_no: String,
    pub(super) authorization: Private<String>,
    pub(super) key: Sm4Key,
    pub(super) callbacks: CallbackAccess,
    pub(super) refusals: Refusals,
    pub(super) label_size: String,
    // Values that are the same in every order.
    pub(super) customer: String,
    pub(super) product: String,
    pub(super) payer: String,
    pub(super) receipt: String,
    pub(super) virtual_number: String,
    pub(super) project: Option<String>,
}

impl EmsSettings {
    pub(super) fn read(env: &mut Env) -> Option<Self> {
        let http = Http::read(env, &HTTP);
        let pace = Pace::read(env, &PACE);
        let path_meaning = "path of the EMS interface; the carrier's own trial system has amp-prod-api/f/amp/api/test";
        let path = env.or("SONGDA_EMS_PATH", "amp-prod-api/f/amp/api/open", path_meaning);
        let sender_no = env.required("SONGDA_EMS_SENDER_NO", "customer number of the agreement with EMS");
        let authorization = env.secret("SONGDA_EMS_AUTHORIZATION", "authorization code that EMS issued");
        let key = env.secret("SONGDA_EMS_KEY", "SM4 key that EMS issued, in base64").and_then(|text| {
            let key = Sm4Key::parse(text);
            if key.is_none() {
                env.fault("SONGDA_EMS_KEY is not the base64 text of 16 bytes");
            }
            key
        });
        let callbacks = CallbackAccess::read(env, &CALLBACKS);
        let refusals_meaning =
            "what words in an EMS refusal mean: rows kind=pattern, separated by semicolons, tried from the top";
        let refusals = env.or("SONGDA_EMS_REFUSALS", DEFAULT, refusals_meaning);
        let label_size = env.or("SONGDA_EMS_LABEL_SIZE", "129", "height of the EMS label in mm: 129, 149 or 179");
        let customer = env.or("SONGDA_EMS_CUSTOMER", "songda", "stable name of this installation in its EMS orders");
        let product = env.or("SONGDA_EMS_PRODUCT", "1", "EMS product: 1 express, 11 domestic standard");
        let payer = env.or("SONGDA_EMS_PAYER", "1", "payer of EMS: 1 sender, 2 recipient");
        let receipt =
            env.or("SONGDA_EMS_RECEIPT", "1", "EMS proof of delivery: 1 basic, 2 return receipt, 5 electronic");
        let virtual_meaning = "1: EMS hides the recipient's phone behind another number; 0 where the contract lacks it";
        let virtual_number = env.or("SONGDA_EMS_VIRTUAL_NUMBER", "1", virtual_meaning);
        let project = env.optional("SONGDA_EMS_PROJECT", "project number that EMS gave to government deliveries");
        Some(Self {
            http: http?,
            pace: pace?,
            path: path?,
            sender_no: sender_no?,
            authorization: authorization?,
            key: key?,
            callbacks: callbacks?,
            refusals: refusals?,
            label_size: label_size?,
            customer: customer?,
            product: product?,
            payer: payer?,
            receipt: receipt?,
            virtual_number: virtual_number?,
            project,
        })
    }
}
