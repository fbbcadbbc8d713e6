//! Addresses and identifiers of the Move language.

use std::fmt;

/// Where modules and resources live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountAddress([u8; 32]);

impl AccountAddress {
    pub const ZERO: AccountAddress = AccountAddress([0; 32]);
    pub const ONE: AccountAddress = {
        let mut bytes = [0; 32];
        bytes[31] = 1;
        AccountAddress(bytes)
    };

    pub fn from_hex(text: &str) -> Option<AccountAddress> {
        let digits = format!("{:0>64}", text.strip_prefix("0x")?);
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(AccountAddress(bytes))
    }
}

impl fmt::Display for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

/// Whether a text may name a module or a function.
pub fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && characters.all(|it| it.is_ascii_alphanumeric() || it == '_')
}
