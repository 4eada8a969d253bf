//! Helpers of the tests: an installation for each test (`desk`), its people, a case's journey in one line, the
//! back office, other processes, servers that can be stopped, and faults. `docs/writing-a-test.md` shows how a test
//! uses them.

pub mod acts;
pub mod answers;
pub mod arrivals;
pub mod clamd;
pub mod consents;
pub mod database;
pub mod days;
pub mod desk;
pub mod doctor;
pub mod edge;
pub mod faults;
pub mod files;
pub mod folder;
pub mod items;
pub mod journey;
pub mod judges;
pub mod load;
pub mod locks;
pub mod office;
pub mod people;
pub mod people_desk;
pub mod pictures;
pub mod process;
pub mod proxy;
pub mod seals;
pub mod servers;
pub mod settings;
pub mod template;
pub mod wait;
