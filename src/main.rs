//! The `songda` command.

fn main() {}
