//! The Adler-32 checksum.

const MODULUS: u32 = 65_521;

/// A checksum that grows with the data.
#[derive(Clone, Copy, Debug)]
pub struct Adler32 {
    first: u32,
    second: u32,
}

impl Default for Adler32 {
    fn default() -> Self {
        Self { first: 1, second: 0 }
    }
}

impl Adler32 {
    pub fn write(&mut self, bytes: &[u8]) {
        // 5,552 bytes are the most that cannot overflow 32 bits.
        for chunk in bytes.chunks(5_552) {
            for byte in chunk {
                self.first += u32::from(*byte);
                self.second += self.first;
            }
            self.first %= MODULUS;
            self.second %= MODULUS;
        }
    }

    pub fn finish(self) -> u32 {
        self.second << 16 | self.first
    }
}

/// The checksum of all bytes at once.
pub fn adler32(bytes: &[u8]) -> u32 {
    let mut sum = Adler32::default();
    sum.write(bytes);
    sum.finish()
}
