//! Edition 2015: paths in `use`, and those that begin with `::`, start at the crate's root.

extern crate far;
extern crate far as renamed;

use inner::leaf;

pub mod inner {
    use far::deep::deeper::origin;

    pub fn leaf() -> u32 {
        ::top()
    }

    pub fn absolute() -> u32 {
        ::far::deep::source() + ::inner::leaf() + origin()
    }

    pub fn through_rename() -> u32 {
        ::renamed::deep::source()
    }
}

pub fn top() -> u32 {
    3
}

pub trait Bare {
    // An argument without a name, and a trait object without `dyn`.
    fn bare(&self, u32) -> u32;
}

#[allow(bare_trait_objects)]
pub fn bare_object(object: &Bare) -> u32 {
    object.bare(1)
}

// Not a keyword yet.
pub fn async() -> u32 {
    leaf()
}

pub fn calls_async() -> u32 {
    async() + self::inner::absolute()
}
