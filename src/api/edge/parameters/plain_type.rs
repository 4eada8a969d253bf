//! Helps to implement poem-openapi's traits for types that are a single JSON value, such as ids.

/// The members of [`poem_openapi::types::Type`] that are the same for all such types.
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
