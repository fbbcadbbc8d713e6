//! Bindings to the C interface of libwavelet.
#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::{c_char, c_double, c_int};

/// A plan for transforms of one length.
#[repr(C)]
pub struct wavelet_plan {
    _private: [u8; 0],
}

pub const WAVELET_HAAR: c_int = 0;
pub const WAVELET_DB4: c_int = 1;

extern "C" {
    pub fn wavelet_version() -> *const c_char;
    pub fn wavelet_plan_new(kind: c_int, length: usize) -> *mut wavelet_plan;
    pub fn wavelet_plan_free(plan: *mut wavelet_plan);
    pub fn wavelet_forward(plan: *const wavelet_plan, data: *mut c_double) -> c_int;
    pub fn wavelet_inverse(plan: *const wavelet_plan, data: *mut c_double) -> c_int;
}
