//! The cases, as data.

/// A case: some bytes of a client.
pub(crate) struct Case {
    /// Which part of which RFC it is about.
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

macro_rules! cases {
    ($($section:literal { $($name:ident: $bytes:expr $(=> $expected:expr)?;)* })*) => {
        pub(crate) fn all() -> Vec<crate::table::Case> {
            vec![$($(
                crate::table::Case {
                    section: $section,
                    name: stringify!($name),
                    bytes: $bytes.to_vec(),
                },
            )*)*]
        }
    };
}
