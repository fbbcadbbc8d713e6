//! Chains of source replacement, and where they must not lead.

use fs_err as fs;

use super::*;
use crate::CargoEnvironment;

/// Resolves `source` with `text` as the only configuration file.
fn resolve(text: &str, variables: &[(&str, &str)], source: &str) -> Result<ResolvedSource, SourceError> {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("tree/.cargo")).unwrap();
    fs::write(root.path().join("tree/.cargo/config.toml"), text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = CargoEnvironment::new(root.path().join("home"), variables);
    let config = CargoConfig::load(&root.path().join("tree"), &environment).unwrap();
    config.resolve_source(&PackageSource::from(source.to_owned())).map(|resolved| match resolved {
        // Without the temporary directory, so that tests can compare.
        ResolvedSource::Directory(path) => {
            ResolvedSource::Directory(path.strip_prefix(root.path()).unwrap().into())
        }
        ResolvedSource::LocalRegistry(path) => {
            ResolvedSource::LocalRegistry(path.strip_prefix(root.path()).unwrap().into())
        }
        other => other,
    })
}

fn default() -> String {
    format!("registry+{CRATES_IO_INDEX}")
}

fn sparse(url: &str) -> Result<ResolvedSource, SourceError> {
    Ok(ResolvedSource::SparseIndex(url.to_owned()))
}

#[test]
fn without_configuration_sources_are_what_they_say() {
    let default_index = sparse_url(CRATES_IO_HTTP_INDEX);
    assert_eq!(resolve("", &[], &default()), sparse(&default_index));
    assert_eq!(resolve("", &[], CRATES_IO_HTTP_INDEX), sparse(&default_index));
    assert_eq!(
        resolve("", &[], "sparse+https://r.example.invalid/x/"),
        sparse("https://r.example.invalid/x/")
    );
    assert_eq!(
        resolve("", &[], "registry+https://r.example.invalid/git"),
        Ok(ResolvedSource::GitIndex("https://r.example.invalid/git".to_owned()))
    );
    assert_eq!(resolve("", &[], "unknown"), Err(SourceError::Unknown));
    assert!(matches!(resolve("", &[], "sparse+ftp://r"), Err(SourceError::BadUrl { .. })));
    assert!(matches!(resolve("", &[], "nonsense"), Err(SourceError::BadUrl { .. })));
}

#[test]
fn the_default_registry_follows_its_protocol() {
    let git = Ok(ResolvedSource::GitIndex(CRATES_IO_INDEX.to_owned()));
    assert_eq!(resolve("[registries.crates-io]\nprotocol = \"git\"", &[], &default()), git);
    assert_eq!(resolve("", &[("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "git")], &default()), git);
}

#[test]
fn replacement_follows_every_hop() {
    let chain = "[source.crates-io]\nreplace-with = \"one\"\n\
                 [source.one]\nregistry = \"sparse+https://one.example.invalid/\"\nreplace-with = \"two\"\n\
                 [source.two]\nregistry = \"https://two.example.invalid/git\"\nreplace-with = \"three\"\n\
                 [source.three]\ndirectory = \"vendor\"\n";
    let vendor = Ok(ResolvedSource::Directory("tree/vendor".into()));
    assert_eq!(resolve(chain, &[], &default()), vendor);
    assert_eq!(resolve(chain, &[], CRATES_IO_HTTP_INDEX), vendor);
    // A source in the middle is found by its URL, with or without a slash at the end.
    assert_eq!(resolve(chain, &[], "sparse+https://one.example.invalid"), vendor);
    // Others are left alone.
    assert_eq!(
        resolve(chain, &[], "sparse+https://x.example.invalid/"),
        sparse("https://x.example.invalid/")
    );
}

#[test]
fn replacement_may_name_a_registry_or_the_environment() {
    let replaced = "[source.crates-io]\nreplace-with = \"my-mirror\"\n";
    let file =
        format!("{replaced}[registries.my-mirror]\nindex = \"sparse+https://file.example.invalid/\"\n");
    assert_eq!(resolve(&file, &[], &default()), sparse("https://file.example.invalid/"));
    let variables = [("CARGO_REGISTRIES_MY_MIRROR_INDEX", "sparse+https://variable.example.invalid/")];
    assert_eq!(resolve(&file, &variables, &default()), sparse("https://variable.example.invalid/"));
    assert_eq!(resolve(replaced, &variables, &default()), sparse("https://variable.example.invalid/"));
}

#[test]
fn a_mirror_may_be_replaced_with_the_default_registry() {
    let text =
        "[source.mirror]\nregistry = \"sparse+https://m.example.invalid/\"\nreplace-with = \"crates-io\"\n";
    let expected = sparse(&sparse_url(CRATES_IO_HTTP_INDEX));
    assert_eq!(resolve(text, &[], "sparse+https://m.example.invalid/"), expected);
}

#[test]
fn local_registries_and_git_sources_are_replaced() {
    let text = "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\nlocal-registry = \"mirror\"\n\
                [source.\"git+https://git.example.invalid/a\"]\ngit = \"https://git.example.invalid/a\"\n\
                branch = \"fix/it\"\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
    assert_eq!(resolve(text, &[], &default()), Ok(ResolvedSource::LocalRegistry("tree/mirror".into())));
    let commit = "#0123456789012345678901234567890123456789";
    let locked = format!("git+https://git.example.invalid/a.git?branch=fix%2Fit{commit}");
    assert_eq!(resolve(text, &[], &locked), Ok(ResolvedSource::Directory("tree/vendor".into())));
    let other = format!("https://git.example.invalid/a?branch=main{commit}");
    assert_eq!(resolve(text, &[], &format!("git+{other}")), Ok(ResolvedSource::Git(other)));
}

#[test]
fn dead_ends_are_errors_and_never_the_default_registry() {
    let cycle = "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\ndirectory = \"a\"\nreplace-with = \"b\"\n\
                 [source.b]\ndirectory = \"b\"\nreplace-with = \"a\"\n";
    assert_eq!(resolve(cycle, &[], &default()), Err(SourceError::Cycle { name: "a".to_owned() }));
    let own = "[source.crates-io]\nreplace-with = \"crates-io\"\n";
    assert_eq!(resolve(own, &[], &default()), Err(SourceError::Cycle { name: "crates-io".to_owned() }));
    let unknown = "[source.crates-io]\nreplace-with = \"nowhere\"\n";
    let error = resolve(unknown, &[], &default()).unwrap_err();
    assert_eq!(error.to_string(), "source `crates-io` is replaced with `nowhere`, which is not configured");
    assert!(error.hint().is_some());
    let empty = "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\n";
    assert!(matches!(resolve(empty, &[], &default()), Err(SourceError::NoLocation { .. })));
    let double =
        "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\ndirectory = \"a\"\nregistry = \"https://r\"\n";
    assert!(matches!(resolve(double, &[], &default()), Err(SourceError::NoLocation { .. })));
}

#[test]
fn only_the_public_registry_is_the_public_one() {
    let http = CRATES_IO_HTTP_INDEX.trim_start_matches("sparse+");
    for index in [http, http.trim_end_matches('/'), CRATES_IO_HTTP_INDEX, CRATES_IO_INDEX] {
        assert!(is_public_registry(index), "{index}");
    }
    assert!(is_public_registry(&format!("registry+{CRATES_IO_INDEX}")));
    let lookalike = http.replace("https://", "https://example.invalid/");
    for index in ["", "/srv/registry", "sparse+https://registry.example.invalid/", &lookalike] {
        assert!(!is_public_registry(index), "{index}");
    }
}
