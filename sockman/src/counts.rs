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

/// Makes the struct `Counters`: how often each `Count` of this module has happened. For the crates of this project.
#[macro_export]
#[doc(hidden)]
macro_rules! counters {
    ($(#[$doc:meta])*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Counters([u64; Count::ALL.len()]);

        impl Default for Counters {
            fn default() -> Self {
                Counters([0; Count::ALL.len()])
            }
        }

        impl Counters {
            /// How often it has happened.
            pub fn get(&self, what: Count) -> u64 {
                self.0[what as usize]
            }

            /// Each, with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                Count::ALL.iter().map(|&what| (what.name(), self.get(what)))
            }

            pub(crate) fn add(&mut self, what: Count) {
                self.add_many(what, 1);
            }

            pub(crate) fn add_many(&mut self, what: Count, many: u64) {
                self.0[what as usize] += many;
            }
        }
    };
}
