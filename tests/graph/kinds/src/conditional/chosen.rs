//! What the feature chooses.

pub fn value() -> u32 {
    super::on_helper()
}
