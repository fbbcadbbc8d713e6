//! The project's own fixtures: all there, readable, and packed as registries would get them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use cratekeeper_evaluation::{Role, Suite};

fn suite() -> Suite {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut suite = Suite::default();
    suite.add_fixtures(&root.join("tests/detection/techniques")).unwrap();
    suite.add_incidents(&root.join("incidents")).unwrap();
    suite
}

#[test]
fn every_technique_has_two_positives_and_two_twins() {
    let mut counts: BTreeMap<u8, [usize; 3]> = BTreeMap::new();
    for subject in suite().fixtures {
        counts.entry(subject.technique).or_default()[subject.role as usize] += 1;
    }
    assert_eq!(counts.keys().copied().collect::<Vec<u8>>(), (1..=64).collect::<Vec<u8>>());
    for (technique, counts) in counts {
        assert_eq!(counts[..2], [2, 2], "technique {technique}");
    }
}

#[test]
fn every_fixture_is_packed_or_laid_out() {
    let directory = tempfile::tempdir().unwrap();
    for (number, subject) in suite().fixtures.into_iter().enumerate() {
        assert!(!subject.fixture.description.is_empty(), "{}", subject.path);
        if subject.fixture.is_timeline() {
            subject.fixture.unpack(&directory.path().join(number.to_string())).unwrap();
        } else {
            assert!(!subject.fixture.pack().unwrap().is_empty(), "{}", subject.path);
        }
        assert!(matches!(subject.role, Role::Positive | Role::Twin | Role::Chain));
    }
}

#[test]
fn fifteen_incidents_and_their_harmless_twins_are_there() {
    let suite = suite();
    assert_eq!((suite.incidents.len(), suite.harmless.len()), (15, 15));
}

/// Inert: nothing in a fixture names a host that exists.
#[test]
fn fixtures_name_no_host_that_exists() {
    for subject in suite().fixtures {
        for file in &subject.fixture.files {
            let text = String::from_utf8_lossy(&file.content);
            for (at, _) in text.match_indices("://") {
                let host: String = text[at + 3..]
                    .chars()
                    .take_while(|it| it.is_ascii_alphanumeric() || ".-_@{}".contains(*it))
                    .collect();
                let host = host.rsplit('@').next().unwrap_or_default();
                let is_inert = host.is_empty()
                    || host.contains('{')
                    || !host.contains('.')
                    || host.starts_with("127.0.0.1")
                    || host.ends_with(".invalid")
                    || host.ends_with(".example")
                    || is_documentation(host);
                assert!(is_inert, "{}: {}: `{host}`", subject.path, file.path);
            }
        }
    }
}

/// Hosts of specifications and licences, which harmless files name.
fn is_documentation(host: &str) -> bool {
    ["www.w3.org", "spdx.org", "www.apache.org", "json-schema.org", "example.com", "example.org"]
        .contains(&host)
}
