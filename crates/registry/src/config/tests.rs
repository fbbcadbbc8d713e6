//! Cargo's hierarchy of configuration files and variables.

use std::path::Path;

use fs_err as fs;

use super::*;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Writes `files` into a new directory, and loads the configuration for its `work/tree`.
fn load(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> (tempfile::TempDir, Result<CargoConfig, ConfigError>) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(&root.path().join(path), text);
    }
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = CargoEnvironment::new(root.path().join("home/.cargo"), variables);
    let config = CargoConfig::load(&root.path().join("work/tree"), &environment);
    (root, config)
}

#[test]
fn closer_files_win_and_lists_are_joined() {
    let (root, config) = load(
        &[
            ("work/tree/.cargo/config.toml", "paths = [\"near\"]\n[net]\noffline = true\n"),
            (
                "work/.cargo/config.toml",
                "paths = [\"/far\"]\n[net]\noffline = false\n[http]\ncainfo = \"ca.pem\"\n",
            ),
            (
                "home/.cargo/config.toml",
                "[net]\noffline = false\n[registries.corp]\nindex = \"sparse+https://home\"\n",
            ),
        ],
        &[],
    );
    let config = config.unwrap();
    assert!(config.is_offline());
    assert_eq!(config.files().len(), 3);
    assert_eq!(config.http_cainfo(), Some(&*root.path().join("work/ca.pem")));
    assert_eq!(config.registry_index("corp"), Some("sparse+https://home"));
    let near = root.path().join("work/tree/near").to_string_lossy().into_owned();
    assert_eq!(config.tree()["paths"], Value::Array(vec!["/far".into(), near.into()]));
    assert!(!config.tree().contains_key("registries"), "cargo's home is not the tree");
}

#[test]
fn environment_variables_win_over_files() {
    let (_root, config) = load(
        &[("work/tree/.cargo/config.toml", "[registries.my-corp]\nindex = \"sparse+https://file\"\n")],
        &[
            ("CARGO_REGISTRIES_MY_CORP_INDEX", "sparse+https://variable"),
            ("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "git"),
        ],
    );
    let config = config.unwrap();
    assert_eq!(config.registry_index("my-corp"), Some("sparse+https://variable"));
    assert_eq!(config.default_protocol(), Protocol::Git);
}

#[test]
fn the_file_without_extension_wins() {
    let (_root, config) = load(
        &[
            ("work/tree/.cargo/config", "[net]\noffline = true\n"),
            ("work/tree/.cargo/config.toml", "[net]\noffline = false\n"),
        ],
        &[],
    );
    assert!(config.unwrap().is_offline());
}

#[test]
fn includes_are_weaker_than_the_file_and_later_ones_stronger() {
    let (_root, config) = load(
        &[
            (
                "work/tree/.cargo/config.toml",
                "include = [\"a.toml\", { path = \"b.toml\" }, { path = \"none.toml\", optional = true }]\n\
                 [registries]\none.index = \"sparse+https://own\"\n",
            ),
            (
                "work/tree/.cargo/a.toml",
                "[registries]\none.index = \"sparse+https://a\"\ntwo.index = \"sparse+https://a\"\n",
            ),
            ("work/tree/.cargo/b.toml", "[registries]\ntwo.index = \"sparse+https://b\"\n"),
        ],
        &[],
    );
    let config = config.unwrap();
    assert_eq!(config.registry_index("one"), Some("sparse+https://own"));
    assert_eq!(config.registry_index("two"), Some("sparse+https://b"));
}

#[test]
fn broken_files_are_errors_with_a_position() {
    let (root, config) = load(&[("work/tree/.cargo/config.toml", "[net]\noffline = = true\n")], &[]);
    let error = config.unwrap_err();
    let place =
        format!("`{}`, line 2, column 11", root.path().join("work/tree/.cargo/config.toml").display());
    assert!(error.to_string().contains(&place), "{error}");
    assert!(error.hint().is_some());
    for include in ["include = [\"config.toml\"]", "include = [\"none.toml\"]", "include = [\"other\"]"] {
        let (_root, config) = load(&[("work/tree/.cargo/config.toml", include)], &[]);
        assert!(config.is_err(), "{include}");
    }
}
