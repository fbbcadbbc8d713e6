//! Functions of other languages, pointers to functions, `unsafe`.

use std::ffi::{c_char, c_int, c_void};

unsafe extern "C" {
    fn strlen(text: *const c_char) -> usize;
    safe fn abs(number: c_int) -> c_int;
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

pub fn length(text: &std::ffi::CStr) -> usize {
    unsafe { strlen(text.as_ptr()) }
}

pub fn absolute(number: i32) -> i32 {
    abs(number) + self::abs(1)
}

extern "C" fn compare(left: *const c_void, right: *const c_void) -> c_int {
    unsafe { read(left) - read(right) }
}

unsafe fn read(pointer: *const c_void) -> c_int {
    unsafe { *pointer.cast() }
}

pub fn sort(numbers: &mut [c_int]) {
    unsafe { qsort(numbers.as_mut_ptr().cast(), numbers.len(), 4, compare) }
}

#[unsafe(no_mangle)]
pub extern "C" fn graph_kinds_exported(number: c_int) -> c_int {
    absolute(number)
}

pub type Callback = unsafe extern "C" fn(c_int) -> c_int;

unsafe extern "C" fn callback(number: c_int) -> c_int {
    graph_kinds_exported(number)
}

pub fn register() -> c_int {
    let function: Callback = callback;
    unsafe { function(1) }
}

/// An allocator-like table of functions.
pub struct Methods {
    pub compare: Option<extern "C" fn(*const c_void, *const c_void) -> c_int>,
}

pub static METHODS: Methods = Methods { compare: Some(compare) };
