//! Types that are one JSON value for poem-openapi.

/// The members of [`poem_openapi::types::Type`] that are the same for all of these types.
macro_rules! plain_type {
    () => {
        const IS_REQUIRED: bool = true;
        type RawValueType = Self;
        type RawElementValueType = Self;

        fn as_raw_value(&self) -> Option<&Self> {
            Some(self)
        }

        fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
            Box::new(std::iter::once(self))
        }
    };
}

pub(in crate::api) use plain_type;
