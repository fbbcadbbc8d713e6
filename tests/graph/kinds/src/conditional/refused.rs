//! What it leaves out.

pub fn value() -> u32 {
    super::off_helper()
}
