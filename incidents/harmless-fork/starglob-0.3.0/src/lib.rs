//! Patterns with `*` and `?`.

/// A pattern that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    One,
    Any,
}

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        let mut parts = Vec::new();
        let mut text = String::new();
        for character in pattern.chars() {
            let part = match character {
                '?' => Part::One,
                '*' => Part::Any,
                _ => {
                    text.push(character);
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            if part != Part::Any || parts.last() != Some(&Part::Any) {
                parts.push(part);
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Glob { parts }
    }

    pub fn matches(&self, text: &str) -> bool {
        matches(&self.parts, text)
    }
}

fn matches(parts: &[Part], text: &str) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Text(expected), rest)) => text.strip_prefix(expected.as_str()).is_some_and(|it| matches(rest, it)),
        Some((Part::One, rest)) => {
            let mut characters = text.chars();
            characters.next().is_some() && matches(rest, characters.as_str())
        }
        Some((Part::Any, rest)) => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }
    }
}
