//! Values that are stored once and compared by address.

use std::any::TypeId;
use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Mutex, OnceLock};

/// A value that lives as long as the program.
pub struct Intern<T: 'static + ?Sized> {
    pointer: &'static T,
}

type Store = Mutex<HashMap<TypeId, Box<dyn std::any::Any + Send>>>;

fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(Store::default)
}

impl<T: Eq + Hash + Send + Sync + 'static> Intern<T> {
    /// Stores a value, or finds the one that is equal to it.
    pub fn new(value: T) -> Intern<T> {
        let mut all = store().lock().expect("no thread panics while it interns");
        let kind: &mut HashSet<&'static T> = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::<HashSet<&'static T>>::default())
            .downcast_mut()
            .expect("the key is the type");
        let pointer = match kind.get(&value) {
            Some(found) => *found,
            None => {
                let leaked: &'static T = Box::leak(Box::new(value));
                kind.insert(leaked);
                leaked
            }
        };
        Intern { pointer }
    }

    /// How many values of this type are stored.
    pub fn num_objects_interned() -> usize {
        let all = store().lock().expect("no thread panics while it interns");
        all.get(&TypeId::of::<T>()).and_then(|it| it.downcast_ref::<HashSet<&'static T>>()).map_or(0, HashSet::len)
    }
}

impl<T: ?Sized> Clone for Intern<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Intern<T> {}

impl<T: ?Sized> Deref for Intern<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.pointer
    }
}

impl<T: ?Sized> Borrow<T> for Intern<T> {
    fn borrow(&self) -> &T {
        self.pointer
    }
}

impl<T: ?Sized> PartialEq for Intern<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.pointer, other.pointer)
    }
}

impl<T: ?Sized> Eq for Intern<T> {}

impl<T: ?Sized + Hash> Hash for Intern<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pointer as *const T).hash(state);
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for Intern<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pointer.fmt(f)
    }
}
