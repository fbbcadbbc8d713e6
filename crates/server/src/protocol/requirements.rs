//! What a manifest must have to be published, as the default registry asks for it.

use cratekeeper_model::facts::{DependencySection, ManifestFacts};

/// Most features of a version, as on the default registry.
pub const MAX_FEATURES: usize = 300;

/// Most dependencies of a version, as on the default registry.
pub const MAX_DEPENDENCIES: usize = 500;

/// Most keywords, and characters of one.
const MAX_KEYWORDS: (usize, usize) = (5, 20);

/// What keeps a manifest from being published, one sentence fragment each. All are told at once.
#[must_use]
pub fn missing(manifest: &ManifestFacts) -> Vec<String> {
    let mut found = Vec::new();
    let is_blank = |text: &Option<String>| text.as_deref().is_none_or(|it| it.trim().is_empty());
    if is_blank(&manifest.description) {
        found.push("`description` is missing or empty".to_owned());
    }
    if is_blank(&manifest.license) && is_blank(&manifest.license_file) {
        found.push("`license` and `license-file` are missing or empty".to_owned());
    }
    if manifest.features.len() > MAX_FEATURES {
        found.push(format!("it has {} features, more than {MAX_FEATURES}", manifest.features.len()));
    }
    if manifest.dependencies.len() > MAX_DEPENDENCIES {
        found.push(format!(
            "it has {} dependencies, more than {MAX_DEPENDENCIES}",
            manifest.dependencies.len()
        ));
    }
    found.extend(manifest.features.keys().filter(|it| !is_feature_name(it)).map(|_| {
        "a feature has a name with other characters than letters, digits, `_`, `-`, `+` and `.`, or too long a one".to_owned()
    }));
    let (keywords, characters) = MAX_KEYWORDS;
    if manifest.keywords.len() > keywords {
        found.push(format!("it has {} keywords, more than {keywords}", manifest.keywords.len()));
    }
    if manifest.keywords.iter().any(|it| !is_keyword(it, characters)) {
        found.push(format!(
            "a keyword does not start with a letter, has characters other than ASCII letters, digits, `_`, `-` and `+`, or more than \
             {characters}"
        ));
    }
    found.extend(dependencies(manifest));
    found.dedup();
    found
}

fn dependencies(manifest: &ManifestFacts) -> impl Iterator<Item = String> + '_ {
    manifest.dependencies.iter().filter_map(|it| {
        let name = it.package.as_deref().unwrap_or(&it.name);
        let requirement = it.requirement.as_deref();
        if it.workspace {
            return Some(format!(
                "the dependency `{name}` is inherited from a workspace, which is not in the archive"
            ));
        }
        match requirement.map(|it| it.trim().parse::<semver::VersionReq>()) {
            // Cargo leaves development dependencies without a version out of what it packs.
            None if it.section == DependencySection::Dev => None,
            None => Some(format!("the dependency `{name}` has no version")),
            Some(Err(_)) => {
                Some(format!("the version requirement of the dependency `{name}` cannot be read"))
            }
            Some(Ok(requirement)) if requirement == semver::VersionReq::STAR => {
                Some(format!("the dependency `{name}` accepts any version (`*`)"))
            }
            Some(Ok(_)) if super::CrateName::parse(name).is_err() => {
                Some("a dependency has a name that no crate can have".to_owned())
            }
            Some(Ok(_)) => None,
        }
    })
}

/// As cargo's own check, of which the default registry's is a part.
fn is_feature_name(name: &str) -> bool {
    let starts = |it: char| it.is_alphanumeric() || it == '_';
    name.len() <= 64
        && name.starts_with(starts)
        && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '+' | '.'))
}

fn is_keyword(keyword: &str, characters: usize) -> bool {
    keyword.len() <= characters
        && keyword.starts_with(|it: char| it.is_ascii_alphabetic())
        && keyword.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cratekeeper_model::facts::Dependency;

    fn good() -> ManifestFacts {
        ManifestFacts {
            description: Some("a demonstration".to_owned()),
            license: Some("MIT".to_owned()),
            ..ManifestFacts::default()
        }
    }

    fn with(change: impl FnOnce(&mut ManifestFacts)) -> Vec<String> {
        let mut manifest = good();
        change(&mut manifest);
        missing(&manifest)
    }

    fn dependency(requirement: Option<&str>) -> Dependency {
        Dependency {
            name: "serde".to_owned(),
            package: None,
            requirement: requirement.map(str::to_owned),
            section: DependencySection::Normal,
            target: None,
            optional: false,
            default_features: true,
            features: Vec::new(),
            registry: None,
            git: None,
            path: None,
            workspace: false,
        }
    }

    #[test]
    fn a_manifest_with_description_and_license_is_enough() {
        assert_eq!(missing(&good()), Vec::<String>::new());
        let file = with(|it| (it.license, it.license_file) = (None, Some("LICENSE".to_owned())));
        assert_eq!(file, Vec::<String>::new());
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        assert_eq!(missing(&ManifestFacts::default()).len(), 2);
        assert_eq!(with(|it| it.description = Some(" ".to_owned())), ["`description` is missing or empty"]);
    }

    #[test]
    fn any_version_and_no_version_are_refused() {
        assert_eq!(with(|it| it.dependencies.push(dependency(Some("1")))), Vec::<String>::new());
        for requirement in [Some("*"), None, Some("one")] {
            assert_eq!(with(|it| it.dependencies.push(dependency(requirement))).len(), 1, "{requirement:?}");
        }
        assert_eq!(with(|it| it.dependencies.push(dependency(Some("1.*")))), Vec::<String>::new());
    }

    #[test]
    fn numbers_have_limits() {
        let features = |count: usize| (0..count).map(|it| (format!("f{it}"), Vec::new())).collect();
        assert_eq!(with(|it| it.features = features(MAX_FEATURES)), Vec::<String>::new());
        assert_eq!(with(|it| it.features = features(MAX_FEATURES + 1)).len(), 1);
        let many = |count: usize| vec![dependency(Some("1")); count];
        assert_eq!(with(|it| it.dependencies = many(MAX_DEPENDENCIES)), Vec::<String>::new());
        assert_eq!(with(|it| it.dependencies = many(MAX_DEPENDENCIES + 1)).len(), 1);
        assert_eq!(with(|it| it.keywords = vec!["a".to_owned(); 6]).len(), 1);
        assert_eq!(with(|it| it.keywords = vec!["1a".to_owned()]).len(), 1);
    }
}
