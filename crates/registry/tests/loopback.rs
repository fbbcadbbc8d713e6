//! Downloads and index entries against a small registry on the loopback interface.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test helpers may panic and print")]

mod loopback {
    mod cases_download;
    mod cases_index;
    mod server;
}
