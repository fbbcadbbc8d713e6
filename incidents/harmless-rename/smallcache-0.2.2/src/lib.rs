//! This crate is now called `small-cache-lru`.

#![deprecated = "use `small-cache-lru`"]

pub use small_cache_lru::Lru;
