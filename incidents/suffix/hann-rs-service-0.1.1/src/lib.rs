//! Rust bindings for hann.

/// The version of these bindings.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn version() -> &'static str {
    VERSION
}
