//! A facade: almost everything here is defined in another crate.

pub extern crate far as elsewhere;

pub use far::deep::deeper::origin as renamed_origin;
pub use far::shape::{self, Shape, Shout};
pub use far::*;

pub mod prelude {
    //! Two hops from the definitions.
    pub use crate::elsewhere::deep::Distant as Remote;
    pub use crate::facade::*;
}

mod facade {
    pub use super::renamed_origin as twice_renamed;
    pub fn of_facade() -> u32 {
        crate::renamed_origin()
    }
}

pub fn use_of_extern_crate() -> u32 {
    elsewhere::deep::source() + crate::elsewhere::deep::deeper::origin()
}

pub fn same_name() -> u32 {
    10
}
