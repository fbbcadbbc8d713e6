use crate::Histogram;

impl Histogram {
    /// A value that this share of all is not above.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = (share.clamp(0.0, 1.0) * self.len() as f64).ceil() as u64;
        let mut seen = 0;
        self.classes().find(|(_, count)| {
            seen += count;
            seen >= wanted
        }).map(|(value, _)| value)
    }

    pub fn median(&self) -> Option<u64> {
        self.quantile(0.5)
    }
}
