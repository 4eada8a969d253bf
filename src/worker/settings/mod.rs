pub mod retry;
pub mod time_outs;
pub mod upkeep;

use crate::domain::kernel::pace::{Pace, PaceNames};
use crate::env::Env;
use crate::worker::settings::retry::RetrySettings;
use crate::worker::settings::time_outs::TimeOuts;
use crate::worker::settings::upkeep::UpkeepSettings;

#[derive(Debug, Clone)]
pub struct WorkerSettings {
    pub time_outs: TimeOuts,
    pub retry: RetrySettings,
    pub upkeep: UpkeepSettings,
    /// The pace of the lane `files`, whose jobs check uploaded files.
    pub files: Pace,
    /// The pace of the lane `inside`, whose jobs call no gateway: its rate limit and its slots (the number of attempts
    /// at the same time). The pace of a gateway's lane is defined in the folder of that gateway.
    pub inside: Pace,
}

/// The names and defaults of the settings for the lane `inside`. The default pace is a load that PostgreSQL can bear in
/// addition to all other work.
const INSIDE: PaceNames =
    PaceNames { rate: "SONGDA_INSIDE_RATE", default_rate: "5000", slots: "SONGDA_INSIDE_SLOTS", default_slots: "64" };

/// The settings of the lane `files`. One picture is decoded at a time, so a second slot only covers the time of the
/// malware scanner and the object store.
const FILES: PaceNames =
    PaceNames { rate: "SONGDA_FILES_RATE", default_rate: "100", slots: "SONGDA_FILES_SLOTS", default_slots: "2" };

impl WorkerSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let time_outs = TimeOuts::read(env);
        let retry = RetrySettings::read(env);
        let upkeep = UpkeepSettings::read(env);
        let files = Pace::read(env, &FILES);
        let inside = Pace::read(env, &INSIDE);
        Some(Self { time_outs: time_outs?, retry: retry?, upkeep: upkeep?, files: files?, inside: inside? })
    }
}
