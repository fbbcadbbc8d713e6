//! Crates as bytes: what is known of a crate without its function bodies, for caches and for the standard library.
//!
//! Names are numbers of this process and crates are numbers of one [`Universe`](crate::Universe). In bytes both are
//! indices into tables that stand in front; the tables of the document being written or read are kept per thread,
//! because serde hands no context to the types inside.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::definitions::{CrateData, CrateIndex};
use crate::symbol::Symbol;

#[derive(Default)]
struct Tables {
    numbers: FxHashMap<Symbol, u32>,
    symbols: Vec<Symbol>,
    /// When writing: number in the universe to number in the document. When reading: the other way round.
    crates: FxHashMap<u32, u32>,
    /// Numbers of the universe stand in the document as they are.
    same_universe: bool,
}

thread_local! {
    static TABLES: RefCell<Tables> = RefCell::default();
}

pub(crate) fn symbol_number(symbol: Symbol) -> u32 {
    TABLES.with_borrow_mut(|tables| {
        if let Some(number) = tables.numbers.get(&symbol) {
            return *number;
        }
        let number = tables.symbols.len() as u32;
        tables.symbols.push(symbol);
        tables.numbers.insert(symbol, number);
        number
    })
}

pub(crate) fn symbol_of(number: u32) -> Option<Symbol> {
    TABLES.with_borrow(|tables| tables.symbols.get(number as usize).copied())
}

pub(crate) fn crate_number(index: u32) -> Option<u32> {
    TABLES.with_borrow(
        |tables| {
            if tables.same_universe { Some(index) } else { tables.crates.get(&index).copied() }
        },
    )
}

/// `data` as bytes. `crates` lists the crates that it may mention, itself included: their position is their number.
///
/// # Errors
///
/// When `data` mentions another crate.
pub fn encode(data: &CrateData, crates: &[CrateIndex]) -> Result<Vec<u8>, String> {
    let numbers = crates.iter().enumerate().map(|(number, index)| (index.0, number as u32)).collect();
    encode_with(data, Tables { crates: numbers, ..Tables::default() })
}

/// `data` as bytes for another process whose universe has the same crates at the same numbers.
///
/// # Errors
///
/// When the encoder fails.
pub fn encode_for_twin(data: &CrateData) -> Result<Vec<u8>, String> {
    encode_with(data, Tables { same_universe: true, ..Tables::default() })
}

fn encode_with(data: &CrateData, tables: Tables) -> Result<Vec<u8>, String> {
    TABLES.set(tables);
    let body = rmp_serde::to_vec(data).map_err(|error| error.to_string())?;
    let tables = TABLES.take();
    let names: Vec<&str> = tables.symbols.iter().map(|it| it.as_str()).collect();
    rmp_serde::to_vec(&(names, body)).map_err(|error| error.to_string())
}

/// The crate that [`encode`] wrote, with `crates` in place of those it was given.
///
/// # Errors
///
/// When the bytes are not of this form.
pub fn decode(bytes: &[u8], crates: &[CrateIndex]) -> Result<CrateData, String> {
    let numbers = crates.iter().enumerate().map(|(number, index)| (number as u32, index.0)).collect();
    decode_with(bytes, Tables { crates: numbers, ..Tables::default() })
}

/// The crate that [`encode_for_twin`] wrote.
///
/// # Errors
///
/// When the bytes are not of this form.
pub fn decode_from_twin(bytes: &[u8]) -> Result<CrateData, String> {
    decode_with(bytes, Tables { same_universe: true, ..Tables::default() })
}

fn decode_with(bytes: &[u8], tables: Tables) -> Result<CrateData, String> {
    let (names, body): (Vec<&str>, Vec<u8>) =
        rmp_serde::from_slice(bytes).map_err(|error| error.to_string())?;
    let symbols = names.into_iter().map(Symbol::new).collect();
    TABLES.set(Tables { symbols, ..tables });
    let data = rmp_serde::from_slice(&body).map_err(|error| error.to_string());
    TABLES.take();
    data
}
