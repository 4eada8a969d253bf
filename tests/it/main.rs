//! The integration tests: one binary, against a real PostgreSQL and Redis and the sandbox. `script/test` starts them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod applicant;
mod catalogue;
mod consents;
mod database;
mod decisions;
mod disclosures;
mod docs;
mod doctor;
mod edge;
mod flushes;
mod folder;
mod gateways;
mod gathered;
mod harness;
mod housekeeping;
mod journeys;
mod kills;
mod layers;
mod outages;
mod people;
mod plugged;
mod poison;
mod proxy;
mod refusals;
mod releases;
mod replays;
mod restores;
mod rings;
mod servers;
mod template;
mod top;
mod typescript;
