//! Why each package is in the tree: kinds, platforms and features, from `cargo metadata`.
//!
//! A lockfile does not say which packages are for tests only. Cargo knows, but cargo also obeys the tree:
//! `cargo metadata` runs the `rustc-wrapper` of the tree's `.cargo/config.toml` (tested in
//! `tests/tripwire.rs`), before anybody has inspected anything. [`command`] says how that is prevented.
//! When cargo cannot be asked, the lockfile alone is still good for everything else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_metadata::{Metadata, TargetKind};
use cratekeeper_model::{DependencyKind, PackageId, PackageSource};

use crate::{CargoConfig, Lockfile, Network};

mod command;
mod error;
mod reach;
mod run;

pub use error::WorkspaceError;
use reach::{Edge, Node};

/// Cargo needs a second for a thousand packages when it has them.
const OFFLINE_TIMEOUT: Duration = Duration::from_secs(120);

/// It may have to download them first.
const ONLINE_TIMEOUT: Duration = Duration::from_secs(600);

/// What `cargo metadata` knows about the packages of a workspace.
#[derive(Debug, Clone)]
pub struct WorkspaceMetadata {
    packages: HashMap<Key, Known>,
    platform: Option<String>,
}

/// What a lockfile entry and a package of `cargo metadata` have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    name: String,
    version: String,
    source: Option<String>,
}

#[derive(Debug, Clone)]
struct Known {
    kinds: Vec<DependencyKind>,
    platforms: Vec<String>,
    features: Vec<String>,
    directory: PathBuf,
}

impl WorkspaceMetadata {
    /// Asks cargo about the workspace in the directory `root`, without letting the workspace run anything.
    ///
    /// Cargo is asked offline first. If it misses packages and `network` allows it, it is asked once more
    /// and may download them into its own cache, unless configuration from outside cargo's home takes
    /// part: a tree that chooses the registry must not also choose where credentials are sent. If packages
    /// are still missing, cargo is asked about this machine's platform alone: after an ordinary build,
    /// only the packages for other platforms are missing.
    ///
    /// # Errors
    ///
    /// When cargo cannot be run or refuses, with its own words. The lockfile is then all there is.
    pub fn load(
        root: &Path,
        config: &CargoConfig,
        network: Network,
    ) -> Result<WorkspaceMetadata, WorkspaceError> {
        let root = fs_err::canonicalize(root)
            .map_err(|source| WorkspaceError::NotThere { path: root.to_owned(), source })?;
        let extra = command::ExtraConfig::of(config)?;
        let ask = |network, timeout| run::output(command::metadata(&root, config, &extra, network), timeout);
        let first = match ask(Network::Offline, OFFLINE_TIMEOUT) {
            Err(WorkspaceError::Failed { lacks_packages: true, .. })
                if network == Network::Online && extra.is_empty() =>
            {
                ask(Network::Online, ONLINE_TIMEOUT)
            }
            result => result,
        };
        let missing = match first {
            Ok(output) => return WorkspaceMetadata::parse(&output, None),
            Err(error @ WorkspaceError::Failed { lacks_packages: true, .. }) => error,
            Err(error) => return Err(error),
        };
        let version = run::output(command::version(&root, config), OFFLINE_TIMEOUT)?;
        let Some(platform) = command::host_platform(&version) else { return Err(missing) };
        let mut command = command::metadata(&root, config, &extra, Network::Offline);
        command.args(["--filter-platform", &platform]);
        match run::output(command, OFFLINE_TIMEOUT) {
            Ok(output) => WorkspaceMetadata::parse(&output, Some(platform)),
            Err(_) => Err(missing),
        }
    }

    /// The platform that the answer is limited to, if cargo's cache lacked packages for other platforms.
    /// Nothing is known then about packages that only those need: their kinds stay empty.
    #[must_use]
    pub fn only_platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// Fills in the kinds, platforms and features of a lockfile's packages, and the directories of the
    /// user's own, which changes their ids. Packages that no member needs keep empty kinds.
    pub fn annotate(&self, lockfile: &mut Lockfile) {
        for locked in &mut lockfile.packages {
            let package = &mut locked.package;
            let Some(known) = self.packages.get(&Key::of_locked(package)) else { continue };
            package.kinds.clone_from(&known.kinds);
            package.platforms.clone_from(&known.platforms);
            package.features = Some(known.features.clone());
            if matches!(package.source, PackageSource::Path(_)) {
                package.source = PackageSource::Path(known.directory.to_string_lossy().into_owned());
                package.id = PackageId::new(&package.source, &package.name, &package.version);
            }
        }
    }

    fn parse(output: &[u8], platform: Option<String>) -> Result<WorkspaceMetadata, WorkspaceError> {
        let metadata: Metadata =
            serde_json::from_slice(output).map_err(|source| WorkspaceError::Malformed { source })?;
        Ok(WorkspaceMetadata { packages: known_packages(metadata), platform })
    }
}

fn known_packages(metadata: Metadata) -> HashMap<Key, Known> {
    let nodes = metadata.resolve.map(|resolve| resolve.nodes).unwrap_or_default();
    let positions: HashMap<&cargo_metadata::PackageId, usize> =
        nodes.iter().enumerate().map(|(position, node)| (&node.id, position)).collect();
    let packages: HashMap<&cargo_metadata::PackageId, &cargo_metadata::Package> =
        metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let members: std::collections::HashSet<_> = metadata.workspace_members.iter().collect();
    let graph: Vec<Node> = nodes
        .iter()
        .map(|node| Node {
            is_member: members.contains(&node.id),
            is_proc_macro: packages.get(&node.id).is_some_and(|package| is_proc_macro(package)),
            edges: edges(node, &positions),
        })
        .collect();
    let reached = reach::kinds(&graph).into_iter().zip(reach::platforms(&graph));
    let known = nodes.iter().zip(reached).filter_map(|(node, (kinds, platforms))| {
        let package = packages.get(&node.id)?;
        let mut features: Vec<String> = node.features.iter().map(ToString::to_string).collect();
        features.sort();
        let directory = package.manifest_path.parent()?.as_std_path().to_owned();
        Some((Key::of_reported(package), Known { kinds, platforms, features, directory }))
    });
    known.collect()
}

fn is_proc_macro(package: &cargo_metadata::Package) -> bool {
    package.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro))
}

fn edges(node: &cargo_metadata::Node, positions: &HashMap<&cargo_metadata::PackageId, usize>) -> Vec<Edge> {
    let edges = node.deps.iter().flat_map(|dependency| {
        let to = positions.get(&dependency.pkg).copied();
        dependency.dep_kinds.iter().filter_map(move |info| {
            let kind = match info.kind {
                cargo_metadata::DependencyKind::Build => DependencyKind::Build,
                cargo_metadata::DependencyKind::Development => DependencyKind::Dev,
                _ => DependencyKind::Normal,
            };
            Some(Edge { to: to?, kind, target: info.target.as_ref().map(ToString::to_string) })
        })
    });
    edges.collect()
}

impl Key {
    fn of_locked(package: &cratekeeper_model::Package) -> Key {
        let source = match &package.source {
            PackageSource::Path(_) | PackageSource::Unknown => None,
            source => Some(comparable(&source.to_string())),
        };
        Key { name: package.name.clone(), version: package.version.to_string(), source }
    }

    fn of_reported(package: &cargo_metadata::Package) -> Key {
        let source = package.source.as_ref().map(|source| comparable(&source.repr));
        Key { name: package.name.to_string(), version: package.version.to_string(), source }
    }
}

/// A source without differences that do not matter: lockfiles before format 4 write branch names of git
/// sources without percent encoding, `cargo metadata` with it.
fn comparable(source: &str) -> String {
    let Some(git) = source.strip_prefix("git+").and_then(|url| url::Url::parse(url).ok()) else {
        return source.trim_end_matches('/').to_owned();
    };
    let query: Vec<String> = git.query_pairs().map(|(key, value)| format!("{key}={value}")).collect();
    let fragment = git.fragment().unwrap_or_default().to_owned();
    let mut bare = git;
    bare.set_query(None);
    bare.set_fragment(None);
    format!("git+{bare}?{}#{fragment}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_compare_equal_however_their_branch_is_encoded() {
        let plain = comparable("git+https://git.example.invalid/a?branch=fix/it#0123");
        assert_eq!(plain, comparable("git+https://git.example.invalid/a?branch=fix%2Fit#0123"));
        assert_ne!(plain, comparable("git+https://git.example.invalid/a?branch=fix/it#4567"));
    }
}
