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

use super::failure::{Failure, faults};
use super::record::record;

/// Passwords come from the environment variable `SONGDA_PASSWORD`, so that they do not appear in a process list.
#[derive(Subcommand)]
pub enum Staff {
    /// Add an account.
    Add {
        /// The officer's user name for signing in.
        username: Username,
        /// The officer's display name.
        #[arg(long)]
        name: String,
        /// The code of the agency whose cases the officer sees.
        #[arg(long)]
        agency: String,
        /// `officer`, `supervisor` or `operator`.
        #[arg(long, default_value = "officer")]
        role: Role,
        /// Let the officer do nothing before choosing another password.
        #[arg(long)]
        must_change_password: bool,
    },
    /// Disable an account and end its sessions.
    Disable {
        /// The officer's user name.
        username: Username,
    },
    /// Set a new password and end all sessions of the account.
    ResetPassword {
        /// The officer's user name.
        username: Username,
        /// Let the officer do nothing before choosing another password.
        #[arg(long)]
        must_change_password: bool,
    },
    /// Remove the second factor of an officer who lost the app and the recovery codes, and end all sessions of the account.
    ResetSecondFactor {
        /// The officer's user name.
        username: Username,
    },
    /// List all accounts.
    List,
}

pub async fn run(command: Staff) -> Result<(), Failure> {
    let store = record()?;
    let officers = OfficerAccounts { store: &store, clock: &Clock::system(), passwords: &Passwords::default() };
    match command {
        Staff::Add { username, name, agency, role, must_change_password } => {
            let agency = AgencyCode::new(agency);
            if catalogue::read(&store).await?.agency(&agency).is_none() {
                return Err(format!("the catalogue has no agency {agency}").into());
            }
            let officer =
                officers.add(NewOfficer { username, name, agency, role, must_change_password }, password()?).await?;
            println!("{}", officer.id);
        }
        Staff::Disable { username } => officers.disable(&username).await?,
        Staff::ResetPassword { username, must_change_password } => {
            officers.reset_password(&username, password()?, must_change_password).await?;
        }
        Staff::ResetSecondFactor { username } => officers.reset_second_factor(&username).await?,
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
    env.secret("SONGDA_PASSWORD", "password of the account").ok_or_else(|| faults(env.faults()))
}
