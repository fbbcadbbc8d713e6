//! Checks that spans are entered before they are left.

pub use tracings::{event, Level, Span};

/// Runs a function within a span that is checked.
pub fn checked<T>(name: &'static str, inner: impl FnOnce() -> T) -> T {
    Span::new(Level::Debug, name).in_scope(inner)
}
