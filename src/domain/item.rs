//! stub until the catalogue is merged
use serde::{Deserialize, Serialize};
macro_rules! code {
    ($n:ident) => {
        /// A code.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $n(String);
        impl $n {
            /// new
            pub fn new(c: impl Into<String>) -> Self {
                Self(c.into())
            }
            /// str
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $n {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
code!(ItemCode);
code!(AgencyCode);
