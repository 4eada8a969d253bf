//! How often a worker sweeps and tidies, and when a lane counts as stuck or abandoned.

use std::time::Duration;

use crate::env::Env;

#[derive(Debug, Clone)]
pub struct UpkeepSettings {
    /// How often the sweeper looks.
    pub sweep: Duration,
    /// How often old rows are deleted.
    pub housekeeping: Duration,
    /// How long a lane may take to come round before this process says that it is not ready.
    pub stalled_after: Duration,
    /// How long overdue a job must be in a lane that no worker has, before it is ended without its gateway.
    pub abandoned_after: Duration,
}

impl UpkeepSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let sweep = env.duration("SONGDA_SWEEP", "200ms", "how often to look for due jobs that are on no stream");
        let housekeeping = env.duration("SONGDA_HOUSEKEEPING", "1h", "how often old rows are deleted");
        let stalled_after = env.duration(
            "SONGDA_STALLED_AFTER",
            "10s",
            "how long a lane may take to come round before `/readyz` says that this worker is stuck",
        );
        let abandoned_after = env.duration(
            "SONGDA_ABANDONED_AFTER",
            "10m",
            "how long overdue a job must be in a lane that no worker has, before it is ended without its gateway",
        );
        Some(Self {
            sweep: sweep?,
            housekeeping: housekeeping?,
            stalled_after: stalled_after?,
            abandoned_after: abandoned_after?,
        })
    }
}
