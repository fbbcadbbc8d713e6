//! Counts of values, in classes whose width grows with the value.

mod iterator;
mod quantile;

pub use iterator::Classes;

/// A histogram whose relative error is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    bits: u32,
    counts: Vec<u64>,
    total: u64,
}

/// More bits than a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooPrecise;

impl Histogram {
    /// Keeps this many leading bits of each value.
    pub fn with_precision(bits: u32) -> Result<Histogram, TooPrecise> {
        if bits == 0 || bits > 16 {
            return Err(TooPrecise);
        }
        Ok(Histogram { bits, counts: vec![0; ((64 - bits + 2) as usize) << bits], total: 0 })
    }

    fn class(&self, value: u64) -> usize {
        let length = u64::BITS - value.leading_zeros();
        if length <= self.bits {
            return value as usize;
        }
        let shift = length - self.bits;
        ((shift as usize) << self.bits) + (value >> shift) as usize
    }

    pub fn record(&mut self, value: u64) {
        let class = self.class(value);
        self.counts[class] += 1;
        self.total += 1;
    }

    pub fn len(&self) -> u64 {
        self.total
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub fn classes(&self) -> Classes<'_> {
        Classes::new(&self.counts, self.bits)
    }
}
