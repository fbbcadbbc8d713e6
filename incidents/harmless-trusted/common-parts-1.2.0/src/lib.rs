//! The longest common parts of two texts.

/// How long the longest common subsequence of two slices is.
pub fn common_length<T: PartialEq>(left: &[T], right: &[T]) -> usize {
    let mut previous = vec![0; right.len() + 1];
    for first in left {
        let mut row = vec![0; right.len() + 1];
        for (index, second) in right.iter().enumerate() {
            row[index + 1] = if first == second { previous[index] + 1 } else { row[index].max(previous[index + 1]) };
        }
        previous = row;
    }
    previous[right.len()]
}

/// From 0 for nothing in common to 1 for equal.
pub fn similarity(left: &str, right: &str) -> f64 {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let total = left.len() + right.len();
    if total == 0 { 1.0 } else { 2.0 * common_length(&left, &right) as f64 / total as f64 }
}

/// The characters that both texts begin with.
pub fn common_prefix<'a>(left: &'a str, right: &str) -> &'a str {
    let length: usize = left.chars().zip(right.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    &left[..length]
}
