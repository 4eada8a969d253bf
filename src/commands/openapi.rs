//! `songda openapi`.

use std::path::PathBuf;

use clap::Args;
use songda::api::documents;

use super::failure::Failure;

#[derive(Args)]
pub struct Openapi {
    /// Write nothing, and fail if a document is out of date.
    #[arg(long)]
    check: bool,
    /// The folder of the documents.
    #[arg(long, default_value = "openapi")]
    folder: PathBuf,
}

pub fn run(command: &Openapi) -> Result<(), Failure> {
    if command.check { Ok(documents::check(&command.folder)?) } else { Ok(documents::write(&command.folder)?) }
}
