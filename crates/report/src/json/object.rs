//! Small tools with which the shapes of documents are written down.

use std::fmt;

use serde::{Serialize, Serializer};

/// Writes an object, one `"key": value` per line, so that the code reads like the document.
///
/// A second block, after `if let … => {…}`, holds keys that are left out otherwise. Everything else that is
/// absent is `null`.
macro_rules! object {
    ($serializer:expr, { $($key:literal: $value:expr),* $(,)? } $(if let $pattern:pat = $option:expr => {
        $($more:literal: $further:expr),* $(,)?
    })?) => {{
        use ::serde::ser::SerializeMap as _;
        let mut map = $serializer.serialize_map(None)?;
        $(map.serialize_entry($key, &$value)?;)*
        $(if let $pattern = $option {
            $(map.serialize_entry($more, &$further)?;)*
        })?
        map.end()
    }};
}
pub(crate) use object;

/// An array with one element for each item of a slice.
pub(crate) struct Each<'a, T, F>(pub(crate) &'a [T], pub(crate) F);

impl<'a, T, V: Serialize, F: Fn(&'a T) -> V> Serialize for Each<'a, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

/// A string: the value as it prints itself.
pub(crate) struct Displayed<'a, T>(pub(crate) &'a T);

impl<T: fmt::Display> Serialize for Displayed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
