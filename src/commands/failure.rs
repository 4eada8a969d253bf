//! The error of a command. Its text is for the person at the terminal.

use std::error::Error;

pub type Failure = Box<dyn Error + Send + Sync>;

/// A failure that lists every fault of the settings.
pub fn faults(faults: &[String]) -> Failure {
    let list: Vec<String> = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
    format!("the settings are missing or invalid:{}", list.concat()).into()
}
