//! Shares, with the interval in which the true one probably is.

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub part: usize,
    /// Of how many.
    pub of: usize,
}

/// Of a standard normal distribution, 95 % is within this many standard deviations.
const Z: f64 = 1.959_963_984_540_054;

impl Share {
    /// Counts those of which `is_part` is true.
    pub(crate) fn count<T>(items: impl IntoIterator<Item = T>, is_part: impl Fn(T) -> bool) -> Share {
        items.into_iter().fold(Share::default(), |share, item| Share {
            part: share.part + usize::from(is_part(item)),
            of: share.of + 1,
        })
    }

    /// Between 0 and 1; nothing where there was nothing to count.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 / self.of as f64)
    }

    /// The 95 % interval of Wilson (1927), which is right for small numbers and for shares near 0 and 1.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        let value = self.value()?;
        let count = self.of as f64;
        let centre = value + Z * Z / (2.0 * count);
        let spread = Z * (value * (1.0 - value) / count + Z * Z / (4.0 * count * count)).sqrt();
        let scale = 1.0 + Z * Z / count;
        Some((((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    /// Examples from Newcombe (1998), table I, method 3.
    #[test]
    fn intervals_are_those_of_the_literature() {
        for (part, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (found_low, found_high) = Share { part, of }.interval().unwrap();
            assert!((found_low - low).abs() < 5e-5 && (found_high - high).abs() < 5e-5, "{part} of {of}");
        }
    }

    #[test]
    fn nothing_of_nothing_is_no_share() {
        assert_eq!(Share::default().value(), None);
        assert_eq!(Share::default().interval(), None);
    }
}
