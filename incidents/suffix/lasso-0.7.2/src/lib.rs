//! A string interner: each text is stored once and named by a small key.

use std::collections::HashMap;

/// Names a text of one `Rodeo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spur {
    key: u32,
}

impl Spur {
    pub const fn into_usize(self) -> usize {
        self.key as usize
    }

    pub fn try_from_usize(index: usize) -> Option<Self> {
        u32::try_from(index).ok().map(|key| Self { key })
    }
}

/// Interns text for a single thread.
#[derive(Debug, Default)]
pub struct Rodeo {
    map: HashMap<Box<str>, Spur>,
    strings: Vec<Box<str>>,
}

impl Rodeo {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_capacity(strings: usize) -> Self {
        Self { map: HashMap::with_capacity(strings), strings: Vec::with_capacity(strings) }
    }

    /// The key of `text`, which is stored if it is new.
    pub fn get_or_intern(&mut self, text: impl AsRef<str>) -> Spur {
        let text = text.as_ref();
        if let Some(key) = self.map.get(text) {
            return *key;
        }
        let key = Spur::try_from_usize(self.strings.len()).expect("more than four billion strings");
        self.strings.push(text.into());
        self.map.insert(text.into(), key);
        key
    }

    pub fn get(&self, text: &str) -> Option<Spur> {
        self.map.get(text).copied()
    }

    pub fn resolve(&self, key: &Spur) -> &str {
        &self.strings[key.into_usize()]
    }

    pub fn try_resolve(&self, key: &Spur) -> Option<&str> {
        self.strings.get(key.into_usize()).map(|it| &**it)
    }

    pub fn len(&self) -> usize {
        self.strings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Spur, &str)> {
        self.strings.iter().enumerate().map(|(index, it)| (Spur { key: index as u32 }, &**it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interning_twice_gives_one_key() {
        let mut rodeo = Rodeo::new();
        assert_eq!(rodeo.get_or_intern("a"), rodeo.get_or_intern("a"));
    }
}
