//! A queue in a ring of fixed size, for one producer and one consumer.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

struct Ring<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    head: AtomicUsize,
    tail: AtomicUsize,
}

// SAFETY: a slot is touched by the producer before `tail` passes it and by the consumer after.
unsafe impl<T: Send> Sync for Ring<T> {}

/// The end that puts values in.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
}

/// The end that takes values out.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
}

/// Makes a ring for `capacity` values.
pub fn ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity > 0, "a ring needs a slot");
    let slots = (0..=capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
    let ring = Arc::new(Ring { slots, head: AtomicUsize::new(0), tail: AtomicUsize::new(0) });
    (Producer { ring: ring.clone() }, Consumer { ring })
}

impl<T> Producer<T> {
    /// Puts a value in, or gives it back if the ring is full.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        let tail = self.ring.tail.load(Ordering::Relaxed);
        let next = (tail + 1) % self.ring.slots.len();
        if next == self.ring.head.load(Ordering::Acquire) {
            return Err(value);
        }
        // SAFETY: the consumer does not read this slot before `tail` is stored.
        unsafe { (*self.ring.slots[tail].get()).write(value) };
        self.ring.tail.store(next, Ordering::Release);
        Ok(())
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest value out.
    pub fn pop(&mut self) -> Option<T> {
        let head = self.ring.head.load(Ordering::Relaxed);
        if head == self.ring.tail.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the producer has written this slot and does not touch it before `head` is stored.
        let value = unsafe { (*self.ring.slots[head].get()).assume_init_read() };
        self.ring.head.store((head + 1) % self.ring.slots.len(), Ordering::Release);
        Some(value)
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let (mut head, tail) = (*self.head.get_mut(), *self.tail.get_mut());
        while head != tail {
            // SAFETY: slots between head and tail hold values.
            unsafe { self.slots[head].get_mut().assume_init_drop() };
            head = (head + 1) % self.slots.len();
        }
    }
}
