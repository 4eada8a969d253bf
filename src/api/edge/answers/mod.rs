//! The responses of operations: resources, stored responses, event streams, fixed pages, and problems (errors).

pub mod code;
pub mod done;
pub mod etag;
pub mod event_stream;
pub mod fixed;
pub mod http_answer;
pub mod problem;
pub mod problem_of;
pub mod problem_pages;
pub mod reference;
pub mod resource;
pub mod stored;
