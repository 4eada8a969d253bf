//! `songda settings`: every setting that is read anywhere, as a table; `docs/settings.md` is this table.

use songda::config::Config;
use songda::env::{Described, Env};
use songda::registry::Registry;
use songda::sandbox;

/// Prints the table.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub fn run() {
    let (mut env, registry) = (Env::default(), Registry::shipped());
    // What is missing does not matter here: only what is asked for.
    let _ = Config::read(&mut env, &registry);
    println!("| setting | default | meaning |\n| --- | --- | --- |");
    for Described { name, default, meaning } in env.described() {
        let default = match default.as_deref() {
            None => "*required*".to_owned(),
            Some("") => String::new(),
            Some(default) => format!("`{default}`"),
        };
        println!("| `{name}` | {default} | {meaning} |");
    }
    let mut env = Env::default();
    let _ = sandbox::Settings::read(&mut env, registry.twins());
    println!("\n## The sandbox\n\n| setting | default | meaning |\n| --- | --- | --- |");
    for Described { name, default, meaning } in env.described() {
        println!("| `{name}` | `{}` | {meaning} |", default.clone().unwrap_or_default());
    }
}
