//! `songda clients`: API clients of back-office systems.

use std::path::PathBuf;

use clap::Subcommand;
use songda::auth::signing_keys::SigningKeys;
use songda::casework::frame::catalogue;
use songda::casework::people::clients::{ApiClients, NewClient};
use songda::domain::item::AgencyCode;
use songda::domain::kernel::clock::Clock;
use songda::domain::people::staff::{Scope, Scopes, Source};

use super::keys::write_secret;
use super::{Failure, record};

/// What to do with clients.
#[derive(Subcommand)]
pub enum Clients {
    /// Let a client in. With `--jwks` it brings its own public keys; with `--key-file` a key pair is made, and the
    /// private key is written there to be handed over.
    Add {
        /// Its name in `/results/{source}/…`.
        #[arg(long)]
        source: Source,
        /// Its name, for people.
        #[arg(long)]
        name: String,
        /// The codes of the agencies for which it may decide, separated by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        agencies: Vec<String>,
        /// What it may do, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "results:write,results:read")]
        scopes: Vec<Scope>,
        /// A file with its JWK set.
        #[arg(long, conflicts_with = "key_file", required_unless_present = "key_file")]
        jwks: Option<PathBuf>,
        /// Where to write the private key of a fresh pair.
        #[arg(long)]
        key_file: Option<PathBuf>,
    },
    /// Shut a client out, at once.
    Revoke {
        /// Which.
        source: Source,
    },
    /// List all clients.
    List,
}

/// Looks after clients.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub async fn run(command: Clients) -> Result<(), Failure> {
    let store = record()?;
    let clients = ApiClients { store: &store, clock: &Clock::system() };
    match command {
        Clients::Add { source, name, agencies, scopes, jwks, key_file } => {
            let catalog = catalogue::read(&store).await?;
            let agencies: Vec<AgencyCode> = agencies.into_iter().map(AgencyCode::new).collect();
            if let Some(unknown) = agencies.iter().find(|agency| catalog.agency(agency).is_none()) {
                return Err(format!("the catalogue knows no agency {unknown}").into());
            }
            let scopes: Scopes = scopes.into_iter().collect();
            let keys = match (jwks, key_file) {
                (Some(path), _) => serde_json::from_str(&std::fs::read_to_string(path)?)?,
                (None, Some(path)) => fresh_pair(&path)?,
                (None, None) => return Err("give --jwks or --key-file".into()),
            };
            let client = clients.add(NewClient { name, source, agencies, scopes }, &keys).await?;
            println!("{}", client.id);
        }
        Clients::Revoke { source } => clients.revoke(&source).await?,
        Clients::List => {
            for client in clients.list().await? {
                let state = if client.revoked_at.is_some() { "revoked" } else { "let in" };
                println!("{}  {:<24} {:<8} {}", client.id, client.source.as_str(), state, client.name);
            }
        }
    }
    Ok(())
}

/// Makes a key pair: the private half goes into a file, the public half to us.
fn fresh_pair(path: &std::path::Path) -> Result<serde_json::Value, Failure> {
    let pem = SigningKeys::fresh_pem().ok_or("the operating system gives no randomness")?;
    let keys = SigningKeys::of([("1".to_owned(), pem.clone())])?;
    write_secret(path, &pem)?;
    Ok(keys.jwks())
}
