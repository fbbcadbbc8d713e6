//! How much of one text is in another, by their sketches.

use cratekeeper_model::facts::Sketch;
use rustc_hash::FxHashSet;

/// Hashes that have to be left up to the horizon. A share of so few is off by a fifth at most in two of three cases.
const COMPARED: usize = 24;

/// The part of the smaller text that both have, in percent; `None` when either has less than `least` windows, or too few of them can
/// be compared.
///
/// Up to the horizon of both samples each is complete, so that there they can be counted one by one. Hashes that are common to
/// many crates do not count.
pub(crate) fn share(a: &Sketch, b: &Sketch, common: &FxHashSet<u64>, least: usize) -> Option<u8> {
    let horizon = a.horizon().min(b.horizon());
    let (mut only_a, mut only_b, mut both) = (0_usize, 0_usize, 0_usize);
    let (mut left, mut right) =
        (within(a, horizon, common).peekable(), within(b, horizon, common).peekable());
    loop {
        match (left.peek(), right.peek()) {
            (Some(one), Some(other)) if one == other => {
                both += 1;
                left.next();
                right.next();
            }
            (Some(one), Some(other)) if one > other => {
                only_b += 1;
                right.next();
            }
            (Some(_), _) => {
                only_a += 1;
                left.next();
            }
            (None, Some(_)) => {
                only_b += 1;
                right.next();
            }
            (None, None) => break,
        }
    }
    let smaller = both + only_a.min(only_b);
    let is_enough = smaller >= least.min(COMPARED) && a.size().min(b.size()) >= least as u64;
    is_enough.then(|| (both * 100 / smaller) as u8)
}

fn within<'s>(
    sketch: &'s Sketch,
    horizon: u64,
    common: &'s FxHashSet<u64>,
) -> impl Iterator<Item = u64> + 's {
    let all = sketch.smallest.iter().copied();
    all.take_while(move |hash| *hash <= horizon).filter(|hash| !common.contains(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(hashes: &[u64], is_whole: bool) -> Sketch {
        Sketch { smallest: hashes.to_vec(), is_whole }
    }

    #[test]
    fn shares_are_parts_of_the_smaller_one() {
        let none = FxHashSet::default();
        let (small, large) = (sketch(&[1, 2, 3, 4], true), sketch(&[1, 2, 3, 5, 6, 7, 8, 9], true));
        assert_eq!(share(&small, &large, &none, 1), Some(75));
        assert_eq!(share(&large, &small, &none, 1), Some(75));
        assert_eq!(share(&small, &large, &none, 5), None);
        assert_eq!(share(&sketch(&[], true), &large, &none, 1), None);
    }

    #[test]
    fn beyond_the_horizon_nothing_is_known() {
        let none = FxHashSet::default();
        // The smaller text is whole, the larger one only known up to 20.
        let (small, large) = (sketch(&[10, 20, 30, 40], true), sketch(&[5, 10, 20], false));
        assert_eq!(share(&small, &large, &none, 1), Some(100));
    }

    #[test]
    fn what_many_have_does_not_count() {
        let common: FxHashSet<u64> = [1, 2].into_iter().collect();
        let (a, b) = (sketch(&[1, 2, 3, 4], true), sketch(&[1, 2, 5, 6], true));
        assert_eq!(share(&a, &b, &common, 1), Some(0));
    }
}
