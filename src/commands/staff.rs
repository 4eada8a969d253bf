//! `songda staff`: officers' accounts.

use clap::Subcommand;
use songda::auth::passwords::Passwords;
use songda::casework::frame::catalogue;
use songda::casework::people::officers::{NewOfficer, OfficerAccounts};
use songda::domain::item::AgencyCode;
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::private::Private;
use songda::domain::people::staff::{Role, Username};
use songda::env::Env;

use super::{Failure, record};

/// What to do with accounts. Passwords come from the setting `SONGDA_PASSWORD`, so that no process list shows them.
#[derive(Subcommand)]
pub enum Staff {
    /// Make an account.
    Add {
        /// What the officer types to sign in.
        username: Username,
        /// Their name, as colleagues know it.
        #[arg(long)]
        name: String,
        /// The code of the agency whose cases they see.
        #[arg(long)]
        agency: String,
        /// `officer`, `supervisor` or `operator`.
        #[arg(long, default_value = "officer")]
        role: Role,
    },
    /// Close an account, and end its sessions.
    Disable {
        /// Whose.
        username: Username,
    },
    /// Set a new password, and end the sessions under the old one.
    ResetPassword {
        /// Whose.
        username: Username,
    },
    /// List all accounts.
    List,
}

/// Looks after accounts.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub async fn run(command: Staff) -> Result<(), Failure> {
    let store = record()?;
    let officers = OfficerAccounts { store: &store, clock: &Clock::system(), passwords: &Passwords::default() };
    match command {
        Staff::Add { username, name, agency, role } => {
            let agency = AgencyCode::new(agency);
            if catalogue::read(&store).await?.agency(&agency).is_none() {
                return Err(format!("the catalogue knows no agency {agency}").into());
            }
            let officer = officers.add(NewOfficer { username, name, agency, role }, password()?).await?;
            println!("{}", officer.id);
        }
        Staff::Disable { username } => officers.disable(&username).await?,
        Staff::ResetPassword { username } => officers.reset_password(&username, password()?).await?,
        Staff::List => {
            for officer in officers.list().await? {
                println!("{}  {:<30} {:<28} {}", officer.id, officer.username.as_str(), officer.agency, officer.role);
            }
        }
    }
    Ok(())
}

fn password() -> Result<Private<String>, Failure> {
    let mut env = Env::of_process();
    env.secret("SONGDA_PASSWORD", "password of the account").ok_or_else(|| super::faults(env.faults()))
}
