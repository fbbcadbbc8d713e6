//! Decimal numbers with a 96-bit mantissa and a power of ten as scale.
//!
//! ```
//! use rustdecimal::Decimal;
//!
//! let price = Decimal::new(1999, 2);
//! assert_eq!(price.to_string(), "19.99");
//! ```

mod error;
mod arithmetic;

pub use error::Error;

use core::fmt;
use core::str::FromStr;

const SIGN_MASK: u32 = 0x8000_0000;
const SCALE_SHIFT: u32 = 16;
/// The largest number of digits after the point.
pub const MAX_SCALE: u32 = 28;

/// A number `m / 10^e` with a 96-bit integer `m` and `e` between 0 and 28.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    flags: u32,
    hi: u32,
    lo: u32,
    mid: u32,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal { flags: 0, hi: 0, lo: 0, mid: 0 };

    /// Makes a number from a 64-bit mantissa and the number of digits after the point.
    ///
    /// # Panics
    ///
    /// Panics if `scale` is above 28.
    pub fn new(num: i64, scale: u32) -> Decimal {
        match Self::try_new(num, scale) {
            Ok(value) => value,
            Err(error) => panic!("{}", error),
        }
    }

    /// As `new`, but a scale out of range is an error.
    pub fn try_new(num: i64, scale: u32) -> Result<Decimal, Error> {
        if scale > MAX_SCALE {
            return Err(Error::ScaleExceedsMaximum(scale));
        }
        let flags = scale << SCALE_SHIFT;
        let (flags, magnitude) = if num < 0 { (flags | SIGN_MASK, num.unsigned_abs()) } else { (flags, num as u64) };
        Ok(Decimal { flags, hi: 0, lo: (magnitude & 0xFFFF_FFFF) as u32, mid: (magnitude >> 32) as u32 })
    }

    /// Makes a number from its three words.
    pub const fn from_parts(lo: u32, mid: u32, hi: u32, negative: bool, scale: u32) -> Decimal {
        let sign = if negative { SIGN_MASK } else { 0 };
        Decimal { flags: sign | ((scale % (MAX_SCALE + 1)) << SCALE_SHIFT), hi, lo, mid }
    }

    /// How many digits stand after the point.
    pub const fn scale(&self) -> u32 {
        (self.flags & 0x00FF_0000) >> SCALE_SHIFT
    }

    /// The digits as an integer, with their sign.
    pub const fn mantissa(&self) -> i128 {
        let raw = (self.lo as i128) | ((self.mid as i128) << 32) | ((self.hi as i128) << 64);
        if self.is_sign_negative() { -raw } else { raw }
    }

    pub const fn is_sign_negative(&self) -> bool {
        self.flags & SIGN_MASK != 0
    }

    pub const fn is_zero(&self) -> bool {
        self.lo == 0 && self.mid == 0 && self.hi == 0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa().unsigned_abs().to_string();
        let scale = self.scale() as usize;
        let padded = format!("{:0>width$}", digits, width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let sign = if self.is_sign_negative() && !self.is_zero() { "-" } else { "" };
        if fraction.is_empty() {
            write!(f, "{}{}", sign, whole)
        } else {
            write!(f, "{}{}.{}", sign, whole, fraction)
        }
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Decimal, Error> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let joined = format!("{}{}", whole, fraction);
        let number: i64 = joined.parse().map_err(|_| Error::ErrorString(format!("not a number: {}", text)))?;
        Decimal::try_new(number, fraction.len() as u32)
    }
}
