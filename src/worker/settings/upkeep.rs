//! The intervals of a worker's regular tasks. [`UpkeepSettings::read`] explains each setting.

use std::time::Duration;

use crate::env::Env;

#[derive(Debug, Clone)]
pub struct UpkeepSettings {
    pub sweep: Duration,
    pub housekeeping: Duration,
    pub stalled_after: Duration,
    pub abandoned_after: Duration,
}

impl UpkeepSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let sweep = env.duration("SONGDA_SWEEP", "200ms", "how often to look for due jobs that are on no stream");
        let housekeeping = env.duration("SONGDA_HOUSEKEEPING", "1h", "how often old rows are deleted");
        let meaning = "how long a lane may take to come round before `/readyz` says that this worker is stuck";
        let stalled_after = env.duration("SONGDA_STALLED_AFTER", "10s", meaning);
        let meaning =
            "how long overdue a job must be in a lane that no worker has, before it is ended without its gateway";
        let abandoned_after = env.duration("SONGDA_ABANDONED_AFTER", "10m", meaning);
        Some(Self {
            sweep: sweep?,
            housekeeping: housekeeping?,
            stalled_after: stalled_after?,
            abandoned_after: abandoned_after?,
        })
    }
}
