//! Whole journeys of a case, from the phone to the doorbell.

mod cancellation;
mod certificate;
mod deadlines;
mod licence;
mod plugged;
mod sms;
mod supplement;
