//! `songda settings`: every setting that is read anywhere, as tables; `docs/settings.md` is these tables.

use songda::config::Config;
use songda::env::{Described, Env};
use songda::registry::Registry;

/// Prints the tables. What is missing does not matter here: only what is asked for.
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
pub fn run() {
    let registry = Registry::shipped();
    print!("{}", table(|env| drop(Config::read(env, &registry))));
    #[cfg(feature = "development")]
    development(&registry);
}

/// Prints what only development builds read, below all that the deployed program reads.
#[cfg(feature = "development")]
#[expect(clippy::print_stdout, reason = "a command speaks to the person who ran it")]
fn development(registry: &Registry) {
    use songda::{demo, sandbox};
    println!("\n## The sandbox (development builds)\n");
    print!("{}", table(|env| drop(sandbox::Settings::read(env, registry.twins()))));
    println!("\n## The player (development builds)\n");
    print!("{}", table(|env| drop(demo::Settings::read(env))));
}

/// The settings that a reader asks for.
fn table(read: impl FnOnce(&mut Env)) -> String {
    let mut env = Env::default();
    read(&mut env);
    let rows = env.described().iter().map(row);
    ["| setting | default | meaning |\n| --- | --- | --- |\n".to_owned()].into_iter().chain(rows).collect()
}

fn row(Described { name, default, meaning }: &Described) -> String {
    let default = match default.as_deref() {
        None => "*required*".to_owned(),
        Some("") => String::new(),
        Some(default) => format!("`{default}`"),
    };
    format!("| `{name}` | {default} | {meaning} |\n")
}
