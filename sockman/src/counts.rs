//! Names of what is counted.

/// Makes the enum `Count` of a list of what a protocol counts: each an index, with its name as in metrics. For the crates of
/// this project.
#[macro_export]
#[doc(hidden)]
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        #[non_exhaustive]
        #[allow(non_camel_case_types, reason = "named as in metrics")]
        pub enum Count {
            $($(#[$doc])* $name,)*
        }

        impl Count {
            /// All of them.
            pub const ALL: &'static [Count] = &[$(Count::$name,)*];

            /// The name, as in metrics.
            pub fn name(self) -> &'static str {
                match self { $(Count::$name => stringify!($name),)* }
            }
        }
    };
}
