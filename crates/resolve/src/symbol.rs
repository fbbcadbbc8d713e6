//! Names as numbers: each distinct text is kept once for the life of the process.
//!
//! Names of different crates are compared all the time, from several threads, so one table serves all of them. It is
//! never emptied: analysis runs in processes that end. A cache of each thread makes most look-ups free of locks.

use std::cell::RefCell;
use std::fmt;
use std::sync::{LazyLock, RwLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name. Raw identifiers are kept without `r#`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

#[derive(Default)]
struct Table {
    numbers: FxHashMap<&'static str, u32>,
    texts: Vec<&'static str>,
}

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(RwLock::default);

thread_local! {
    static NUMBERS: RefCell<FxHashMap<&'static str, u32>> = RefCell::default();
    static TEXTS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

impl Symbol {
    /// The symbol of `text`; `r#` in front is dropped.
    #[must_use]
    pub fn new(text: &str) -> Symbol {
        let text = text.strip_prefix("r#").unwrap_or(text);
        if let Some(number) = NUMBERS.with_borrow(|numbers| numbers.get(text).copied()) {
            return Symbol(number);
        }
        let mut table = TABLE.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = if let Some(number) = table.numbers.get(text) {
            *number
        } else {
            let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
            let number = table.texts.len() as u32;
            table.texts.push(kept);
            table.numbers.insert(kept, number);
            number
        };
        let kept = table.texts[number as usize];
        drop(table);
        NUMBERS.with_borrow_mut(|numbers| numbers.insert(kept, number));
        Symbol(number)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        if let Some(text) = TEXTS.with_borrow(|texts| texts.get(self.0 as usize).copied()) {
            return text;
        }
        let table = TABLE.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        TEXTS.with_borrow_mut(|texts| {
            let known = texts.len();
            texts.extend_from_slice(&table.texts[known..]);
            texts[self.0 as usize]
        })
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::encoding::symbol_number(*self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Symbol, D::Error> {
        let number = u32::deserialize(deserializer)?;
        crate::encoding::symbol_of(number).ok_or_else(|| serde::de::Error::custom("a name is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_identifiers_are_the_same_names() {
        assert_eq!(Symbol::new("r#type"), Symbol::new("type"));
        assert_ne!(Symbol::new("kind"), Symbol::new("type"));
        assert_eq!(Symbol::new("kind").as_str(), "kind");
    }

    #[test]
    fn threads_agree() {
        let names: Vec<String> = (0..1000).map(|it| format!("name_{it}")).collect();
        let numbers = |names: &[String]| names.iter().map(|it| Symbol::new(it)).collect::<Vec<_>>();
        let (here, there) = std::thread::scope(|scope| {
            let there = scope.spawn(|| numbers(&names));
            (numbers(&names), there.join().expect("it does not panic"))
        });
        assert_eq!(here, there);
    }
}
