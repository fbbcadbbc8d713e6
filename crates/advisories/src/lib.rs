//! Reads the RustSec advisory database and answers which versions it affects.
