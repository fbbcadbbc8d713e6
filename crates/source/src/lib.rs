//! Turns manifest and Rust text into facts, with nothing executed.
