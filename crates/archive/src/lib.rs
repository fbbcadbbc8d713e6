//! Reads hostile `.crate` files, under limits.
