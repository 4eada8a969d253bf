//! The parts of the crate `songda` that the bench uses: clocks, ids, and the client side of the demonstration. The
//! product that is measured is another program, often of another commit; the bench knows it by its commands, its
//! settings, its HTTP API and the tables `jobs` and `attempts`.

pub use songda::casework::notices::live::MOST_STREAMS;
pub use songda::demo::back_office::BackOffice;
pub use songda::demo::form::{Applicant, fill};
pub use songda::demo::http::Caller;
pub use songda::demo::sandbox::SandboxClient;
pub use songda::demo::wait::until;
pub use songda::demo::{fresh_key, fresh_resident_id};
pub use songda::domain::kernel::clock::{Clock, Stopwatch, beijing_day, fresh};
pub use songda::domain::kernel::ids::DraftId;
