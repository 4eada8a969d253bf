//! `songda openapi`.

use std::path::PathBuf;

use clap::Args;
use songda::api::documents;

use super::Failure;

/// Where, and whether to write.
#[derive(Args)]
pub struct Openapi {
    /// Do not write; fail when a document is not fresh.
    #[arg(long)]
    check: bool,
    /// The folder of the documents.
    #[arg(long, default_value = "openapi")]
    folder: PathBuf,
}

/// Writes or checks.
pub fn run(command: &Openapi) -> Result<(), Failure> {
    if command.check { Ok(documents::check(&command.folder)?) } else { Ok(documents::write(&command.folder)?) }
}
