/// The classes that are not empty, with their lowest value.
#[derive(Clone, Debug)]
pub struct Classes<'a> {
    counts: std::iter::Enumerate<std::slice::Iter<'a, u64>>,
    bits: u32,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(counts: &'a [u64], bits: u32) -> Self {
        Self { counts: counts.iter().enumerate(), bits }
    }
}

impl Iterator for Classes<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        let (class, count) = self.counts.by_ref().find(|(_, count)| **count > 0)?;
        let shift = (class >> self.bits) as u32;
        let low = (class & ((1 << self.bits) - 1)) as u64;
        Some((low << shift, *count))
    }
}
