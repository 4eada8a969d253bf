//! The code that all audiences share: connections, limits, parameters, responses, OpenAPI documents, and the layers
//! around the operations.
//!
//! Operations import the names that are re-exported below. The files of this folder import from each other directly.

pub mod answers;
pub mod connections;
pub mod current;
mod example;
pub mod limits;
pub mod middleware;
pub mod openapi;
pub mod parameters;
pub mod proxies;
pub mod route_table;
pub mod surround;

pub use answers::code::Code;
pub use answers::done::Done;
pub use answers::problem::{FieldError, Problem};
pub use answers::problem_of::{Brings, ProblemOf};
pub use answers::resource::{Added, Created, Shown};
pub use answers::stored::Answered;
pub use current::current_request;
pub(in crate::api) use example::example;
pub use parameters::body::Body;
pub use parameters::conditions::{CreateOrMatch, IfMatch};
pub use parameters::idempotency::{IdempotencyKey, OptionalKey};
pub use parameters::paging::{Cursors, Page, clamp};
pub use parameters::principal::{Client, Officer, Operator, Person};
pub use parameters::ranges::WantedRange;
pub use parameters::security::{Anyone, IncompleteOfficer, SignInAttempt};
pub use parameters::wire_ids::EXAMPLE;
