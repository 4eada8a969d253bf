//! Whole journeys: from the phone to the doorbell.

mod cancellation;
mod certificate;
mod deadlines;
mod plugged;
