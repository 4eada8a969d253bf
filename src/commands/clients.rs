//! `songda clients`: API clients of back-office systems.

use std::path::PathBuf;

use clap::Subcommand;
use songda::auth::signing_keys::SigningKeys;
use songda::casework::frame::catalogue;
use songda::casework::people::clients::{ApiClients, NewClient};
use songda::domain::item::AgencyCode;
use songda::domain::kernel::clock::Clock;
use songda::domain::people::staff::{Scope, Scopes, Source};

use super::failure::Failure;
use super::keys::write_secret;
use super::record::record;

#[derive(Subcommand)]
pub enum Clients {
    /// Add a client. With `--jwks` you pass the public keys of a key pair that the client made. With `--key-file` the
    /// command makes a key pair, and writes the private key into that file for you to hand over to the client.
    Add {
        /// The client's name in `/results/{source}/…`.
        #[arg(long)]
        source: Source,
        /// The client's display name.
        #[arg(long)]
        name: String,
        /// Codes of the agencies for which the client may decide, separated by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        agencies: Vec<String>,
        /// The client's scopes, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "results:write,results:read")]
        scopes: Vec<Scope>,
        /// A file with the client's JWK set.
        #[arg(long, conflicts_with = "key_file", required_unless_present = "key_file")]
        jwks: Option<PathBuf>,
        /// The file for the private key of a new key pair. It must not exist.
        #[arg(long)]
        key_file: Option<PathBuf>,
    },
    /// Revoke a client's access at once.
    Revoke {
        /// The client's name in `/results/{source}/…`, as given to `add`.
        source: Source,
    },
    /// List all clients.
    List,
}

pub async fn run(command: Clients) -> Result<(), Failure> {
    let store = record()?;
    let clients = ApiClients { store: &store, clock: &Clock::system() };
    match command {
        Clients::Add { source, name, agencies, scopes, jwks, key_file } => {
            let catalog = catalogue::read(&store).await?;
            let agencies: Vec<AgencyCode> = agencies.into_iter().map(AgencyCode::new).collect();
            if let Some(unknown) = agencies.iter().find(|agency| catalog.agency(agency).is_none()) {
                return Err(format!("the catalogue has no agency {unknown}").into());
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
                let state = if client.revoked_at.is_some() { "revoked" } else { "active" };
                println!("{}  {:<24} {:<8} {}", client.id, client.source.as_str(), state, client.name);
            }
        }
    }
    Ok(())
}

/// Makes a key pair. Writes the private key into a file and returns the JWK set of the public key.
fn fresh_pair(path: &std::path::Path) -> Result<serde_json::Value, Failure> {
    let pem = SigningKeys::fresh_pem().ok_or("the operating system gives no randomness")?;
    let keys = SigningKeys::of([("1".to_owned(), pem.clone())])?;
    write_secret(path, &pem)?;
    Ok(keys.jwks())
}
