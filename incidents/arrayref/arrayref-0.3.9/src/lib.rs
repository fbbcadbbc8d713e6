//! References to arrays inside slices, with lengths that are checked once.
//!
//! ```
//! use arrayref::array_ref;
//!
//! let bytes = [1_u8, 2, 3, 4];
//! let middle: &[u8; 2] = array_ref![bytes, 1, 2];
//! assert_eq!(middle, &[2, 3]);
//! ```
#![deny(warnings)]
#![no_std]

/// A reference to `$len` elements from `$offset` on.
#[macro_export]
macro_rules! array_ref {
    ($slice:expr, $offset:expr, $len:expr) => {{
        #[inline]
        const unsafe fn as_array<T>(slice: &[T]) -> &[T; $len] {
            &*(slice.as_ptr() as *const [T; $len])
        }
        let offset = $offset;
        let part = &$slice[offset..offset + $len];
        #[allow(unused_unsafe)]
        unsafe {
            as_array(part)
        }
    }};
}

/// The same, mutable.
#[macro_export]
macro_rules! array_mut_ref {
    ($slice:expr, $offset:expr, $len:expr) => {{
        #[inline]
        unsafe fn as_array<T>(slice: &mut [T]) -> &mut [T; $len] {
            &mut *(slice.as_mut_ptr() as *mut [T; $len])
        }
        let offset = $offset;
        let part = &mut $slice[offset..offset + $len];
        #[allow(unused_unsafe)]
        unsafe {
            as_array(part)
        }
    }};
}

/// Cuts an array into references to arrays whose lengths add up.
#[macro_export]
macro_rules! array_refs {
    ($array:expr, $($len:expr),+) => {{
        let input = $array;
        let mut _offset = 0;
        ($({
            let part = $crate::array_ref!(input, _offset, $len);
            _offset += $len;
            part
        },)+)
    }};
}

#[cfg(test)]
mod tests {
    extern crate std;

    #[test]
    fn parts_are_where_they_should_be() {
        let data = [0_u8, 1, 2, 3, 4, 5];
        let (first, second) = array_refs![&data, 2, 4];
        assert_eq!((first, second), (&[0, 1], &[2, 3, 4, 5]));
    }

    #[test]
    #[should_panic]
    fn a_part_beyond_the_end_panics() {
        let data = [0_u8; 4];
        let _ = array_ref![data, 2, 4];
    }
}
