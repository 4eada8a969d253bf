//! The size of a picture.

/// Width and height in pixels.
pub type Dimensions = (u64, u64);
