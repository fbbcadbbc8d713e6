use crate::{Decimal, Error, MAX_SCALE};
use core::ops::{Add, Neg, Sub};

fn rescale(value: &Decimal, scale: u32) -> Result<i128, Error> {
    let factor = 10_i128.checked_pow(scale - value.scale()).ok_or(Error::Overflow)?;
    value.mantissa().checked_mul(factor).ok_or(Error::Overflow)
}

fn pack(mantissa: i128, scale: u32) -> Result<Decimal, Error> {
    let magnitude = mantissa.unsigned_abs();
    if magnitude >> 96 != 0 || scale > MAX_SCALE {
        return Err(Error::Overflow);
    }
    Ok(Decimal::from_parts(
        magnitude as u32,
        (magnitude >> 32) as u32,
        (magnitude >> 64) as u32,
        mantissa < 0,
        scale,
    ))
}

impl Decimal {
    pub fn checked_add(self, other: Decimal) -> Option<Decimal> {
        let scale = self.scale().max(other.scale());
        let sum = rescale(&self, scale).ok()?.checked_add(rescale(&other, scale).ok()?)?;
        pack(sum, scale).ok()
    }

    pub fn checked_sub(self, other: Decimal) -> Option<Decimal> {
        self.checked_add(-other)
    }
}

impl Neg for Decimal {
    type Output = Decimal;
    fn neg(self) -> Decimal {
        pack(-self.mantissa(), self.scale()).expect("the magnitude has not changed")
    }
}

impl Add for Decimal {
    type Output = Decimal;
    fn add(self, other: Decimal) -> Decimal {
        self.checked_add(other).expect("addition overflowed")
    }
}

impl Sub for Decimal {
    type Output = Decimal;
    fn sub(self, other: Decimal) -> Decimal {
        self.checked_sub(other).expect("subtraction overflowed")
    }
}
