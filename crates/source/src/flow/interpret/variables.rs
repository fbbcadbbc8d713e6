//! The variables of a function that is being read.
//!
//! A function may have a hundred thousand of them and as many branches. So older ones are found by an index, and a branch that is to
//! be forgotten notes what it changes instead of working on a copy.

use std::collections::HashMap;

use super::super::ir::Text;
use super::super::value::{Known, Value};

/// Newest variables that are looked through one by one: most names were bound just before.
const NEWEST: usize = 16;

/// Variables in the order in which they were bound; of several of one name the newest is meant.
#[derive(Default)]
pub(super) struct Variables {
    all: Vec<(Text, Value)>,
    /// Places of all but the newest, by name. It is made when it is first needed.
    index: HashMap<Text, Vec<usize>>,
    /// How many are in the index.
    indexed: usize,
    /// How many hold constant data.
    constants: usize,
    /// What was changed since changes are to be forgotten, and how often that was asked for.
    changed: Vec<(usize, Value)>,
    forgetting: u32,
}

/// The state that [`Variables::forget`] goes back to.
pub(super) struct Remembered {
    length: usize,
    changed: usize,
}

impl Variables {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn push(&mut self, name: Text, value: Value) {
        self.constants += usize::from(is_constant(&value));
        self.all.push((name, value));
    }

    /// Forgets all but the first.
    pub(super) fn truncate(&mut self, length: usize) {
        while self.all.len() > length {
            let Some((name, value)) = self.all.pop() else { return };
            self.constants -= usize::from(is_constant(&value));
            if self.indexed > self.all.len() {
                self.indexed = self.all.len();
                if let Some(places) = self.index.get_mut(&name) {
                    places.pop();
                }
            }
        }
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&Value> {
        self.place(name).map(|at| &self.all[at].1)
    }

    pub(super) fn at(&self, place: usize) -> Option<&Value> {
        self.all.get(place).map(|it| &it.1)
    }

    /// What `change` makes of the variable, if there is one of this name.
    pub(super) fn change<R>(&mut self, name: &str, change: impl FnOnce(&mut Value) -> R) -> Option<R> {
        let at = self.place(name)?;
        let value = &mut self.all[at].1;
        if self.forgetting > 0 {
            self.changed.push((at, value.clone()));
        }
        self.constants -= usize::from(is_constant(value));
        let result = change(value);
        self.constants += usize::from(is_constant(value));
        Some(result)
    }

    /// Whether any variable holds constant data.
    pub(super) fn has_constants(&self) -> bool {
        self.constants > 0
    }

    /// Everything from here on will be forgotten.
    pub(super) fn remember(&mut self) -> Remembered {
        self.forgetting += 1;
        Remembered { length: self.all.len(), changed: self.changed.len() }
    }

    pub(super) fn forget(&mut self, since: &Remembered) {
        self.truncate(since.length);
        for (at, before) in self.changed.drain(since.changed..).rev() {
            if let Some((_, value)) = self.all.get_mut(at) {
                self.constants -= usize::from(is_constant(value));
                self.constants += usize::from(is_constant(&before));
                *value = before;
            }
        }
        self.forgetting -= 1;
    }

    fn place(&mut self, name: &str) -> Option<usize> {
        let older = self.all.len().saturating_sub(NEWEST);
        if let Some(at) = self.all[older..].iter().rposition(|it| *it.0 == *name) {
            return Some(older + at);
        }
        while self.indexed < older {
            let name = self.all[self.indexed].0.clone();
            self.index.entry(name).or_default().push(self.indexed);
            self.indexed += 1;
        }
        self.index.get(name)?.iter().rev().copied().find(|at| *at < older)
    }
}

fn is_constant(value: &Value) -> bool {
    matches!(value.known, Known::Text(..) | Known::Bytes(_) | Known::List(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: i64) -> Value {
        Value::known(Known::Integer(value))
    }

    #[test]
    fn the_newest_of_a_name_is_meant_wherever_it_stands() {
        let mut variables = Variables::default();
        for at in 0..100 {
            variables.push(format!("v{}", at % 50).into(), number(at));
        }
        assert_eq!(variables.get("v3").and_then(Value::integer), Some(53));
        variables.truncate(52);
        assert_eq!(variables.get("v3").and_then(Value::integer), Some(3));
        assert!(variables.get("w").is_none());
    }

    #[test]
    fn what_is_forgotten_is_as_before() {
        let mut variables = Variables::default();
        variables.push("a".into(), Value::text("x"));
        variables.push("b".into(), number(1));
        let outer = variables.remember();
        variables.change("b", |value| *value = Value::text("y"));
        let inner = variables.remember();
        variables.change("a", |value| *value = number(2));
        variables.change("a", |value| *value = number(3));
        variables.push("a".into(), number(4));
        variables.forget(&inner);
        assert_eq!(variables.len(), 2);
        assert!(variables.get("a").and_then(Value::as_text).is_some_and(|it| &*it.0 == "x"));
        variables.forget(&outer);
        assert_eq!(variables.get("b").and_then(Value::integer), Some(1));
        variables.change("a", |value| *value = number(5));
        assert!(!variables.has_constants());
    }

    proptest! {
        /// The index finds what a look through all of them finds.
        #[test]
        fn the_index_is_right(steps in prop::collection::vec((0_u8..8, 0_usize..40), 0..300)) {
            let (mut variables, mut plain) = (Variables::default(), Vec::<(String, i64)>::new());
            for (at, (kind, number_of)) in steps.into_iter().enumerate() {
                let name = format!("v{number_of}");
                match kind {
                    0 => {
                        variables.truncate(number_of);
                        plain.truncate(number_of);
                    }
                    1 | 2 => {
                        let expected = plain.iter_mut().rev().find(|it| it.0 == name);
                        let found = variables.change(&name, |value| *value = number(-(at as i64)));
                        prop_assert_eq!(expected.is_some(), found.is_some());
                        expected.into_iter().for_each(|it| it.1 = -(at as i64));
                    }
                    _ => {
                        variables.push(name.as_str().into(), number(at as i64));
                        plain.push((name.clone(), at as i64));
                    }
                }
                let expected = plain.iter().rev().find(|it| it.0 == name).map(|it| it.1);
                prop_assert_eq!(variables.get(&name).and_then(Value::integer), expected);
            }
        }
    }
}
