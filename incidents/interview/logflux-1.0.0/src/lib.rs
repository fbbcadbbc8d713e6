//! Streams log records to several sinks at once.

mod stream;

pub use stream::{Flux, Record};

/// A stream with a sink for standard error.
pub fn standard() -> Flux {
    let mut flux = Flux::default();
    flux.sink(|record| eprintln!("{} {}", record.level, record.text));
    flux
}
