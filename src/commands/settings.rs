//! `songda settings`: tables of every setting that Songda reads. `docs/settings.md` contains these tables.

use songda::config::Config;
use songda::env::{Env, SettingDoc};
use songda::registry::Registry;

/// Prints the tables. The values do not matter, so missing settings are no fault here.
pub fn run() {
    let registry = Registry::shipped();
    print!("{}", table(|env| drop(Config::read(env, &registry))));
    #[cfg(feature = "development")]
    development(&registry);
}

/// Prints the settings that only development builds read, after those of the deployed program.
#[cfg(feature = "development")]
fn development(registry: &Registry) {
    use songda::{demo, sandbox};
    println!("\n## The sandbox (development builds)\n");
    print!("{}", table(|env| drop(sandbox::SandboxSettings::read(env, registry.twins()))));
    println!("\n## The player (development builds)\n");
    print!("{}", table(|env| drop(demo::DemoSettings::read(env))));
}

/// A table of the settings that `read` reads.
fn table(read: impl FnOnce(&mut Env)) -> String {
    let mut env = Env::default();
    read(&mut env);
    let rows = env.described().iter().map(row);
    ["| setting | default | meaning |\n| --- | --- | --- |\n".to_owned()].into_iter().chain(rows).collect()
}

fn row(SettingDoc { name, default, meaning }: &SettingDoc) -> String {
    let default = match default.as_deref() {
        None => "*required*".to_owned(),
        Some("") => String::new(),
        Some(default) => format!("`{default}`"),
    };
    format!("| `{name}` | {default} | {meaning} |\n")
}
