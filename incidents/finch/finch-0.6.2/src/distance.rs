use crate::Sketch;

/// The share of common hashes among the smallest of both.
pub fn jaccard(left: &Sketch, right: &Sketch) -> f64 {
    let (mut first, mut second, mut common, mut total) = (0, 0, 0_u32, 0_u32);
    while first < left.hashes.len() && second < right.hashes.len() {
        match left.hashes[first].0.cmp(&right.hashes[second].0) {
            std::cmp::Ordering::Less => first += 1,
            std::cmp::Ordering::Greater => second += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                first += 1;
                second += 1;
            }
        }
        total += 1;
    }
    if total == 0 { 0.0 } else { f64::from(common) / f64::from(total) }
}

/// An estimate of how many bases differ.
pub fn mash_distance(left: &Sketch, right: &Sketch, word: usize) -> f64 {
    let share = jaccard(left, right);
    if share == 0.0 { 1.0 } else { (-(2.0 * share / (1.0 + share)).ln() / word as f64).clamp(0.0, 1.0) }
}
