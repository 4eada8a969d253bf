//! Whole journeys of a case, from the application on the phone to the parcel at the door.

mod cancellation;
mod certificate;
mod deadlines;
mod licence;
mod plugged;
mod sms;
mod supplement;
