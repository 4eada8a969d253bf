//! A build of the product, as `script/bench-build` makes it: a folder with the program and its catalogue.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::Measured;

/// The lines below `year = …` in a calendar entry, for a year whose holidays are not announced yet.
const UNANNOUNCED: &str = "notice = \"not announced: for measurements only\"\nholidays = []\nworkdays = []\n";

/// A build of the product.
#[derive(Clone)]
pub struct Program {
    folder: PathBuf,
}

impl Program {
    /// Returns the build whose folder an environment variable names; `None` if it is not set.
    pub fn named_by(variable: &str) -> Measured<Option<Self>> {
        let Some(folder) = env::var_os(variable) else { return Ok(None) };
        Ok(Some(Self { folder: PathBuf::from(folder).canonicalize()? }))
    }

    /// Returns the name of the folder: for a commit, its full hash.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join("songda")
    }

    /// Copies the catalogue into a folder. The product accepts a submission only if the calendar has the working days
    /// of this year and of the next one. If one of these years is missing, because its holidays are not announced yet,
    /// it is added without holidays.
    pub async fn copy_catalogue(&self, to: &Path, year: i32) -> Measured<()> {
        let copied = Command::new("cp").arg("-R").arg(self.folder.join("catalog")).arg(to).status().await?;
        if !copied.success() {
            return Err(format!("the catalogue of {} cannot be copied: {copied}", self.folder.display()).into());
        }
        let file = to.join("catalog/calendar.toml");
        let mut calendar = fs::read_to_string(&file)?;
        for year in [year, year + 1] {
            if !calendar.contains(&format!("year = {year}\n")) {
                calendar += &format!("\n[[years]]\nyear = {year}\n{UNANNOUNCED}");
            }
        }
        Ok(fs::write(file, calendar)?)
    }
}
