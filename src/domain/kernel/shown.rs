//! Names, codes and numbers: each a type of its own around a text, so that the compiler keeps them apart, and all of them
//! read and shown as that text.

/// Reads and shows a type around a text.
macro_rules! shown {
    ($name:ident) => {
        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(in crate::domain) use shown;
