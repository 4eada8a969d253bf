//! `songda catalog check`, `compare` and `load`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use songda::casework::upkeep::publish_catalogue::publish;
use songda::catalog::{self, Contents};
use songda::domain::kernel::clock::Clock;
use songda::env::Env;
use songda::gateway::push::Channels;
use songda::registry::Registry;

use super::failure::{Failure, faults};
use super::record::record;

#[derive(Subcommand)]
pub enum Catalog {
    /// Check the files and print all faults.
    Check(Folder),
    /// Ask the gateways which message templates are registered with them, and warn of our templates that they would
    /// refuse. Gateways allow this query only a few times a day.
    Compare(Folder),
    /// Check the files and publish the changes.
    Load {
        #[command(flatten)]
        folder: Folder,
        /// If the calendar lacks this year or the next, take Monday to Friday as the working days of that year. For
        /// demonstrations and tests, which must run on any day.
        #[cfg(feature = "development")]
        #[arg(long)]
        rehearse: bool,
    },
}

#[derive(Args)]
pub struct Folder {
    /// The folder of the catalogue.
    #[arg(long, default_value = "catalog")]
    folder: PathBuf,
}

pub async fn run(command: Catalog) -> Result<(), Failure> {
    match command {
        Catalog::Check(folder) => println!("{} items, no faults", folder.read()?.items.len()),
        Catalog::Compare(folder) => compare(&folder.read()?).await?,
        Catalog::Load {
            folder,
            #[cfg(feature = "development")]
            rehearse,
        } => {
            let clock = Clock::system();
            let contents = folder.read()?;
            #[cfg(feature = "development")]
            let contents = if rehearse { rehearsed(contents, &clock) } else { contents };
            let publication = publish(&record()?, &clock, &contents).await?;
            println!(
                "revision {}: {} added, {} changed, {} withdrawn, {} unchanged",
                publication.revision,
                publication.added.len(),
                publication.changed.len(),
                publication.withdrawn.len(),
                publication.unchanged
            );
        }
    }
    Ok(())
}

/// Makes up the working days of this year and of the next, if the calendar lacks that year. In production, made-up days
/// would cause wrong legal deadlines, so the deployed program cannot make them up.
#[cfg(feature = "development")]
fn rehearsed(mut contents: Contents, clock: &Clock) -> Contents {
    use chrono::Datelike as _;
    let year = songda::domain::kernel::clock::beijing_day(clock.now()).year();
    for year in contents.parts.calendar.rehearse(year..=year + 1) {
        println!("rehearsal: the working days of {year} are made up, not the announced ones");
    }
    contents
}

/// Compares our templates with the gateways' lists, and prints the differences as warnings. The command succeeds in
/// spite of differences: a gateway's list can be incomplete, and messages can still arrive.
async fn compare(contents: &Contents) -> Result<(), Failure> {
    let mut env = Env::of_process();
    let channels = Channels::read(&mut env, Registry::shipped().channels(), &Clock::system());
    if !env.faults().is_empty() {
        return Err(faults(env.faults()));
    }
    for channel in channels.iter() {
        let code = channel.code();
        match channel.templates().await {
            None => println!("{code}: the gateway has no query for its templates"),
            Some(Err(report)) => println!("{code}: the query for the templates failed ({})", report.detail),
            Some(Ok(known)) => {
                let doubts = contents.parts.templates.doubts(code, &known);
                println!("{code}: {} templates at the gateway, {} warnings", known.len(), doubts.len());
                doubts.iter().for_each(|doubt| println!("  - {doubt}"));
            }
        }
    }
    Ok(())
}

impl Folder {
    fn read(&self) -> Result<Contents, Failure> {
        catalog::read(&self.folder, &Registry::shipped().field_rules()).map_err(|faults| {
            let list: Vec<String> = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
            format!("the catalogue has {} faults:{}", faults.len(), list.concat()).into()
        })
    }
}
