//! The `cratekeeper` command.
fn main() {}
