//! Counts in a fixed set of classes.

/// A histogram with classes of equal width.
#[derive(Clone, Debug)]
pub struct Histogram {
    pub min: f64,
    pub max: f64,
    pub counts: Vec<u64>,
}

impl Histogram {
    pub fn new(min: f64, max: f64, classes: usize) -> Histogram {
        Histogram { min, max, counts: vec![0; classes] }
    }

    pub fn add(&mut self, value: f64) {
        let classes = self.counts.len() as f64;
        let class = ((value - self.min) / (self.max - self.min) * classes) as usize;
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
    }
}
