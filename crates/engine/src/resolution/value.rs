//! What a feature switches on: the four forms of an entry in `[features]`.

/// An entry of a feature's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value<'a> {
    /// `name`: another feature of the package, or an optional dependency by the feature that it implies.
    Feature(&'a str),
    /// `dep:key`: an optional dependency.
    Dependency(&'a str),
    /// `key/feature`: a feature of a dependency, which is switched on too. Weak, as `key?/feature`, only where something else
    /// switches it on.
    OfDependency { key: &'a str, feature: &'a str, weak: bool },
}

impl<'a> Value<'a> {
    pub(super) fn parse(text: &'a str) -> Value<'a> {
        match text.split_once('/') {
            Some((key, feature)) => match key.strip_suffix('?') {
                Some(key) => Value::OfDependency { key, feature, weak: true },
                None => Value::OfDependency { key, feature, weak: false },
            },
            None => match text.strip_prefix("dep:") {
                Some(key) => Value::Dependency(key),
                None => Value::Feature(text),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_are_told_apart() {
        assert_eq!(Value::parse("a"), Value::Feature("a"));
        assert_eq!(Value::parse("dep:a"), Value::Dependency("a"));
        assert_eq!(Value::parse("a/b"), Value::OfDependency { key: "a", feature: "b", weak: false });
        assert_eq!(Value::parse("a?/b"), Value::OfDependency { key: "a", feature: "b", weak: true });
        assert_eq!(Value::parse("a?"), Value::Feature("a?"));
        assert_eq!(Value::parse("depa"), Value::Feature("depa"));
    }
}
