//! What changed between two texts, line by line.
//!
//! A longest common subsequence, by the table that every textbook has: policies are short. Texts that differ in so many lines that the table would
//! be large are shown as one that went and one that came.

/// Entries of the table: four bytes each.
const TABLE: usize = 2_000_000;

/// Lines that stayed and are shown around what changed.
const AROUND: usize = 3;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in both texts.
    Stayed,
    /// It is in the older text alone.
    Gone,
    /// It is in the newer text alone.
    New,
}

impl Fate {
    /// The sign before such a line.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Fate::Stayed => " ",
            Fate::Gone => "−",
            Fate::New => "+",
        }
    }

    /// The class of such a row.
    pub(super) fn class(self) -> &'static str {
        match self {
            Fate::Stayed => "",
            Fate::Gone => "gone",
            Fate::New => "new",
        }
    }
}

/// All lines of both texts, in order.
fn all<'a>(older: &'a str, newer: &'a str) -> Vec<(Fate, &'a str)> {
    let (older, newer): (Vec<&str>, Vec<&str>) = (older.lines().collect(), newer.lines().collect());
    let before = older.iter().zip(&newer).take_while(|(a, b)| a == b).count();
    let (rest, coming) = (&older[before..], &newer[before..]);
    let behind = rest.iter().rev().zip(coming.iter().rev()).take_while(|(a, b)| a == b).count();
    let (gone, came) = (&rest[..rest.len() - behind], &coming[..coming.len() - behind]);
    let stayed = |lines: &[&'a str]| lines.iter().map(|it| (Fate::Stayed, *it)).collect::<Vec<_>>();
    let mut lines = stayed(&older[..before]);
    lines.extend(between(gone, came));
    lines.extend(stayed(&older[older.len() - behind..]));
    lines
}

fn between<'a>(gone: &[&'a str], came: &[&'a str]) -> Vec<(Fate, &'a str)> {
    let mut lines = Vec::new();
    let width = came.len() + 1;
    let (mut i, mut j) = (0, 0);
    if (gone.len() + 1).saturating_mul(width) <= TABLE {
        let common = table(gone, came);
        while i < gone.len() && j < came.len() {
            if gone[i] == came[j] {
                lines.push((Fate::Stayed, gone[i]));
                (i, j) = (i + 1, j + 1);
            } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
                lines.push((Fate::Gone, gone[i]));
                i += 1;
            } else {
                lines.push((Fate::New, came[j]));
                j += 1;
            }
        }
    }
    lines.extend(gone[i..].iter().map(|it| (Fate::Gone, *it)));
    lines.extend(came[j..].iter().map(|it| (Fate::New, *it)));
    lines
}

/// How many lines the rests of two texts have in common, from each pair of lines on.
fn table(gone: &[&str], came: &[&str]) -> Vec<u32> {
    let width = came.len() + 1;
    let mut common = vec![0_u32; (gone.len() + 1) * width];
    for i in (0..gone.len()).rev() {
        for j in (0..came.len()).rev() {
            common[i * width + j] = if gone[i] == came[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    common
}

/// What changed, with a few lines around; `None` stands for lines that were left out.
pub(super) fn changed<'a>(older: &'a str, newer: &'a str) -> Vec<Option<(Fate, &'a str)>> {
    let lines = all(older, newer);
    let mut is_shown = vec![false; lines.len()];
    for (index, (fate, _)) in lines.iter().enumerate() {
        if *fate != Fate::Stayed {
            let end = (index + AROUND + 1).min(lines.len());
            is_shown[index.saturating_sub(AROUND)..end].fill(true);
        }
    }
    let mut shown: Vec<Option<(Fate, &str)>> = Vec::new();
    for (line, is_shown) in lines.into_iter().zip(is_shown) {
        match is_shown {
            true => shown.push(Some(line)),
            false if shown.last() != Some(&None) => shown.push(None),
            false => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stayed_is_left_out_from_afar() {
        let older = "1\n2\n3\n4\n5\n6\n7";
        let shown = changed(older, "1\n2\n3\n4\n5\n6\n8");
        let signs: Vec<&str> = shown.iter().map(|it| it.map_or("…", |it| it.0.sign())).collect();
        assert_eq!(signs, ["…", " ", " ", " ", "−", "+"]);
        assert_eq!(changed(older, older), [None]);
        assert_eq!(changed("", ""), []);
    }

    #[test]
    fn texts_that_share_little_are_one_that_went_and_one_that_came() {
        let (older, newer): (String, String) =
            (0..3_000).map(|it| (format!("a{it}\n"), format!("b{it}\n"))).unzip();
        assert_eq!(all(&older, &newer).len(), 6_000);
    }

    proptest! {
        #[test]
        fn both_texts_are_in_what_is_shown(older in "[ab\n]{0,40}", newer in "[ab\n]{0,40}") {
            let lines = all(&older, &newer);
            let without = |fate: Fate| {
                lines.iter().filter(|it| it.0 != fate).map(|it| it.1).collect::<Vec<_>>()
            };
            prop_assert_eq!(without(Fate::New), older.lines().collect::<Vec<_>>());
            prop_assert_eq!(without(Fate::Gone), newer.lines().collect::<Vec<_>>());
        }
    }
}
