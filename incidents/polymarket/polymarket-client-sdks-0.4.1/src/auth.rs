use std::fmt;

/// What a signed request carries.
#[derive(Clone)]
pub struct Credentials {
    pub key: String,
    pub passphrase: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Signs with a private key that never leaves this process.
pub struct Signer {
    key: [u8; 32],
}

impl Signer {
    /// Reads 64 hexadecimal digits, with or without `0x`.
    pub fn from_hex(text: &str) -> Option<Signer> {
        let text = text.strip_prefix("0x").unwrap_or(text);
        let mut key = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        crate::warm::load();
        Some(Signer { key })
    }

    pub fn derive(&self, nonce: u64) -> Credentials {
        let mixed = self.key.iter().fold(nonce, |state, it| state.rotate_left(7) ^ u64::from(*it));
        Credentials { key: format!("{mixed:016x}"), passphrase: format!("{:016x}", !mixed) }
    }
}
