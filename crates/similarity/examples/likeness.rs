//! Prints which versions of an index are like others, and how long it takes to find out: what thresholds are chosen by.
//!
//! `cargo run --release -p cratekeeper-similarity --example likeness -- FILE [COPIES]`. With COPIES, the index is filled up with
//! as many made-up versions, whose sketches share nothing.

#![expect(clippy::print_stdout, reason = "it is a report")]
#![expect(clippy::print_stderr, reason = "it is a report")]

use std::time::Instant;

use cratekeeper_model::{Checksum, Facts};
use cratekeeper_similarity::{Entry, Index};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("give the file of an index");
        return;
    };
    let copies: usize = arguments.next().and_then(|it| it.parse().ok()).unwrap_or_default();
    let bytes = std::fs::read(&path).expect("the file can be read");
    let mut entries = Index::entries_from_bytes(&bytes).expect("it is an index");
    let real = entries.clone();
    entries.extend((0..copies).map(|number| made_up(&real[number % real.len()], number)));
    let (count, start) = (entries.len(), Instant::now());
    let index = Index::new(entries);
    println!(
        "{count} versions, {} bytes; tables made in {:?}",
        index.to_bytes().map_or(0, |it| it.len()),
        start.elapsed()
    );
    let (start, none) = (Instant::now(), Facts::default());
    let mut lines = Vec::new();
    for entry in &real {
        for it in index.similar(entry, &none) {
            let share = |share: Option<u8>| share.map_or("-".to_owned(), |it| it.to_string());
            lines.push(format!(
                "{}-{} {}-{} source {} structure {} readme {} description {} repository {} authors {:?} functions {:?}",
                entry.name, entry.version, it.name, it.version, share(it.source), share(it.structure), share(it.readme),
                share(it.description), it.same_repository, it.same_author, it.shared_functions
            ));
        }
    }
    let each = start.elapsed() / real.len().max(1) as u32;
    println!("{each:?} for each question; {} answers", lines.len());
    lines.iter().for_each(|line| println!("{line}"));
}

/// A version as large as another one, with nothing in common.
fn made_up(like: &Entry, number: usize) -> Entry {
    let mut entry = like.clone();
    entry.name = format!("made-up-{number}");
    entry.checksum = Checksum::of(entry.name.as_bytes());
    let mut random = fastrand::Rng::with_seed(number as u64);
    let print = &mut entry.fingerprint;
    for sketch in [&mut print.source, &mut print.structure, &mut print.readme, &mut print.description] {
        let horizon = sketch.horizon();
        sketch.smallest.iter_mut().for_each(|hash| *hash = random.u64(0..horizon));
        sketch.smallest.sort_unstable();
        sketch.smallest.dedup();
    }
    print.functions.iter_mut().for_each(|hash| *hash = random.u64(..));
    print.functions.sort_unstable();
    entry
}
