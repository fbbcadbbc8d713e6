//! What core, alloc and std define, as compact data made from what a toolchain ships.
//!
//! Methods of std's types can only be found if their signatures are known, and no toolchain has to be installed where crates
//! are analysed. So an index of modules, types, traits, implementations, signatures and macros is made once by
//! `cargo xtask standard-library` and kept with this crate. Function bodies are not in it: what std calls is not known.
//!
//! [`load`] adds the three crates to a [`Universe`]; [`release`] says which release of Rust they come from.

use std::io::{Read, Write};
use std::sync::Arc;

use cratekeeper_resolve::definitions::CrateData;
use cratekeeper_resolve::{CrateIndex, StandardCrates, Universe, encoding};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

static INDEX: &[u8] = include_bytes!("../data/standard-library.bin.gz");

/// Most bytes that an index unpacks to: three times what the present one takes.
const INDEX_BYTES: u64 = 16 << 20;

/// The index, as it is stored.
#[derive(Serialize, Deserialize)]
struct Index {
    /// As `rustc --version` prints it.
    release: String,
    /// core, alloc and std, encoded.
    crates: [Vec<u8>; 3],
}

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It cannot be unpacked or packed.
    #[error("failed to unpack the index of the standard library")]
    Packing(#[from] std::io::Error),
    /// It is not of the expected form.
    #[error("failed to read the index of the standard library: {0}")]
    Form(String),
}

/// Adds core, alloc and std to `universe` under the given numbers, with their look-ups made.
///
/// # Errors
///
/// When the index that was built in is damaged.
pub fn load(universe: &Universe, at: StandardCrates) -> Result<(), IndexError> {
    let index = unpack(INDEX)?;
    let numbers = [at.core, at.alloc, at.std];
    for (bytes, number) in index.crates.iter().zip(numbers) {
        let mut data: CrateData = encoding::decode(bytes, &numbers).map_err(IndexError::Form)?;
        data.index();
        universe.set(number, Arc::new(data));
    }
    Ok(())
}

/// Release of Rust that the index was made from, as `rustc --version` prints it.
///
/// # Errors
///
/// When the index that was built in is damaged.
pub fn release() -> Result<String, IndexError> {
    Ok(unpack(INDEX)?.release)
}

/// Packs an index: what `cargo xtask standard-library` writes. `crates` are core, alloc and std, numbered 0, 1 and 2.
///
/// # Errors
///
/// When one of them refers to a crate that is not among them.
pub fn pack(release: &str, crates: [&CrateData; 3]) -> Result<Vec<u8>, IndexError> {
    let numbers = [CrateIndex(0), CrateIndex(1), CrateIndex(2)];
    let encode = |data| encoding::encode(data, &numbers).map_err(IndexError::Form);
    let crates = [encode(crates[0])?, encode(crates[1])?, encode(crates[2])?];
    let index = Index { release: release.to_owned(), crates };
    let bytes = rmp_serde::to_vec(&index).map_err(|error| IndexError::Form(error.to_string()))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&bytes)?;
    Ok(packed.finish()?)
}

fn unpack(packed: &[u8]) -> Result<Index, IndexError> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).take(INDEX_BYTES).read_to_end(&mut bytes)?;
    rmp_serde::from_slice(&bytes).map_err(|error| IndexError::Form(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_holds_what_everyone_uses() {
        let at = StandardCrates { core: CrateIndex(0), alloc: CrateIndex(1), std: CrateIndex(2) };
        let universe = Universe::with_room(3);
        load(&universe, at).expect("the index is intact");
        let core = universe.krate(at.core);
        let names: Vec<&str> = core.traits.iter().map(|it| it.name.as_str()).collect();
        for name in ["Iterator", "Deref", "Fn", "From", "Future", "Clone", "Index"] {
            assert!(names.contains(&name), "{name}");
        }
        assert!(universe.krate(at.alloc).adts.iter().any(|it| it.name.as_str() == "Vec"));
        assert!(universe.krate(at.std).adts.iter().any(|it| it.name.as_str() == "HashMap"));
        assert!(core.functions.len() > 10_000);
    }

    #[test]
    fn the_release_is_named() {
        assert!(release().expect("the index is intact").starts_with("rustc 1."));
    }

    #[test]
    fn a_damaged_index_is_an_error() {
        assert!(unpack(&INDEX[..INDEX.len() / 2]).is_err());
        assert!(unpack(b"something else").is_err());
    }
}
