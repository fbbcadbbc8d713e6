//! Dependencies that the lockfile lacks: what is said about them in every format.

use cratekeeper_model::UnresolvedDependency;

use crate::RuleDescription;

/// A dependency of the workspace that the lockfile lacks. It is no finding about a package, because there is none.
pub const UNRESOLVED_DEPENDENCY: RuleDescription<'static> = RuleDescription {
    id: "unresolved-dependency",
    title: "A dependency of the workspace is not in its lockfile",
    explanation: "\
**Looks at:** the dependencies in the manifests of the workspace: `Cargo.toml` at its root and of every member, those for tests,
build scripts, other platforms and optional ones included, and inherited ones where a member inherits them. Each name has to have
an entry in `Cargo.lock`. What is found by its path is not looked at. Where a name of the lockfile or of a popular crate resembles
the missing one, it is suggested, and the severity is `medium`.

**Why:** what is not in the lockfile was not checked, and is resolved by the next build that is not `--locked`. If the name was
mistyped, that build runs whatever somebody has published under the mistyped name.

**Harmless when:** the dependency was just added, or the lockfile is older than the manifest.

**What to do:** correct the name if it was mistyped. Otherwise run `cargo update --workspace`, which builds nothing, and check again.
`--allow-unchecked` accepts it.",
    help_uri: None,
};

/// `json` for `serde_jsn`: what is missing, as it stands in the manifest.
pub(crate) fn missing(dependency: &UnresolvedDependency) -> String {
    let UnresolvedDependency { key, name, .. } = dependency;
    if key == name { format!("`{name}`") } else { format!("`{name}` (as `{key}`)") }
}

/// ``did you mean `a` (in the lockfile)? ...; or `b` ``; nothing without suggestions.
pub(crate) fn question(dependency: &UnresolvedDependency) -> Option<String> {
    let (best, others) = dependency.suggestions.split_first()?;
    let place = if best.in_lockfile { " (in the lockfile)" } else { "" };
    let others: Vec<String> = others.iter().map(|it| format!("`{}`", it.name)).collect();
    let others = if others.is_empty() { String::new() } else { format!("; or {}?", others.join(" or ")) };
    Some(format!("did you mean `{}`{place}? {}{others}", best.name, best.explanation))
}

/// What to do about it.
pub(crate) fn help(dependency: &UnresolvedDependency) -> &'static str {
    match dependency.severity() {
        Some(_) => "correct it; if it is meant, run `cargo update --workspace` and check again",
        None => "run `cargo update --workspace` if it was just added, and check again",
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Suggestion;

    use super::*;

    fn dependency(key: &str, suggestions: &[(&str, bool)]) -> UnresolvedDependency {
        let suggest = |(name, in_lockfile): &(&str, bool)| Suggestion {
            name: (*name).to_owned(),
            in_lockfile: *in_lockfile,
            explanation: format!("it resembles `{name}`"),
        };
        UnresolvedDependency {
            manifest: "Cargo.toml".to_owned(),
            line: 7,
            key: key.to_owned(),
            name: "serde_jsn".to_owned(),
            suggestions: suggestions.iter().map(suggest).collect(),
        }
    }

    #[test]
    fn a_renamed_dependency_is_named_twice() {
        assert_eq!(missing(&dependency("serde_jsn", &[])), "`serde_jsn`");
        assert_eq!(missing(&dependency("json", &[])), "`serde_jsn` (as `json`)");
    }

    #[test]
    fn the_likeliest_suggestion_has_its_reason() {
        assert_eq!(question(&dependency("x", &[])), None);
        assert_eq!(
            question(&dependency("x", &[("a", true), ("b", false), ("c", false)])).as_deref(),
            Some("did you mean `a` (in the lockfile)? it resembles `a`; or `b` or `c`?")
        );
    }
}
