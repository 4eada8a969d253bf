//! Opens the database for the administrative commands.

use songda::config::RecordSettings;
use songda::env::Env;
use songda::store::Store;

use super::failure::{Failure, faults};

pub fn record() -> Result<Store, Failure> {
    let mut env = Env::of_process();
    match RecordSettings::read(&mut env) {
        Some(settings) => Ok(settings.store("songda-command")?),
        None => Err(faults(env.faults())),
    }
}
