//! A digest for small inputs.

/// Folds bytes into a 64-bit number.
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0x9E37_79B9_7F4A_7C15, |state, it| (state.rotate_left(5) ^ u64::from(*it)).wrapping_mul(0x2545_F491_4F6C_DD1D))
}

/// The digest as sixteen hexadecimal digits.
pub fn hex_digest(bytes: &[u8]) -> String {
    format!("{:016x}", digest(bytes))
}
