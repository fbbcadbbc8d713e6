//! The incidents, live: every step of each timeline happens by HTTP in a running gate, and victims fetch with the machine's real cargo.
//!
//! The gate's clock is played, so that ages are those of the incident. Nothing of a replica is built; cargo only fetches. A version counts as exposed
//! when it was given out, or stands in a victim's lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

use cratekeeper_archive::{CrateBuilder, Limits, read_directory};
use serde_json::{Value, json};

use crate::world::World;

/// The moment at which every incident ends, in seconds since 1970.
const END: i64 = 1_790_000_000;

/// Plays all incidents, or those that are named. Gives whether all went as it should.
pub(crate) fn incidents(wanted: &[String]) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let mut directories: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|it| it.unwrap().path()).collect();
    directories.retain(|it| it.join("timeline.toml").is_file());
    directories.sort();
    let mut failures = Vec::new();
    for directory in directories {
        let name = directory.file_name().unwrap().to_str().unwrap().to_owned();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let outcome = Stage::play(&directory);
        println!(
            "{name:24} malicious {:2} exposed {:2} fetches {:2} refused {:2} harmless held {:2}",
            outcome.malicious.len(),
            outcome.exposed.len(),
            outcome.fetches,
            outcome.refused,
            outcome.held.len()
        );
        for problem in outcome.exposed.iter().chain(&outcome.held).chain(&outcome.problems) {
            println!("    {problem}");
        }
        if !outcome.exposed.is_empty() || !outcome.held.is_empty() || !outcome.problems.is_empty() {
            failures.push(name);
        }
    }
    if !failures.is_empty() {
        println!("not as it should be: {}", failures.join(", "));
    }
    failures.is_empty()
}

/// What became of an incident.
#[derive(Default)]
struct Outcome {
    malicious: Vec<(String, String)>,
    /// Malicious versions that somebody got.
    exposed: Vec<String>,
    /// Harmless versions that nobody got.
    held: Vec<String>,
    fetches: usize,
    refused: usize,
    problems: Vec<String>,
}

/// An incident in a gate.
struct Stage {
    directory: PathBuf,
    world: World,
    tokens: BTreeMap<String, String>,
    outcome: Outcome,
}

impl Stage {
    fn play(directory: &Path) -> Outcome {
        let world =
            World::open(END - 4_000 * 86_400, |configuration| configuration.is_default_registry = true);
        let mut stage = Stage {
            directory: directory.to_owned(),
            world,
            tokens: BTreeMap::new(),
            outcome: Outcome::default(),
        };
        stage.publish_surroundings();
        let text = fs::read_to_string(directory.join("timeline.toml")).unwrap();
        let timeline: toml::Table = text.parse().unwrap();
        for (entry, is_baseline) in ordered(&timeline) {
            stage.happen(&entry, is_baseline);
        }
        stage.conclude();
        stage.outcome
    }

    /// The token of an account, which is made where there is none.
    fn token(&mut self, login: &str) -> String {
        if let Some(token) = self.tokens.get(login) {
            return token.clone();
        }
        self.world.administer("POST", "/admin/v1/users", &json!({ "login": login }));
        let scopes = ["publish-new", "publish-update", "yank", "change-owners"];
        let body = json!({ "user": login, "name": "test", "scopes": scopes });
        let answer = self.world.administer("POST", "/admin/v1/tokens", &body);
        let token = answer["secret"].as_str().unwrap().to_owned();
        self.tokens.insert(login.to_owned(), token.clone());
        token
    }

    fn happen(&mut self, entry: &toml::Table, is_baseline: bool) {
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        self.world.clock.store(END + seconds(text("at")), Ordering::Release);
        let action = if is_baseline { "publish" } else { text("action") };
        let (name, version, by) = (text("crate"), text("version"), text("by"));
        match action {
            "publish" if text("dir").is_empty() => {}
            "publish" => self.publish(entry, name, version, by, is_baseline),
            "yank" | "unyank" => {
                let token = self.token(by);
                let method = if action == "yank" { "DELETE" } else { "PUT" };
                let path = format!("/api/v1/crates/{name}/{version}/{action}");
                let (status, answer) = self.ask(method, &path, &format!("authorization: {token}\r\n"), b"");
                // Withdrawing what an attacker does not own is not what these are about.
                if status != 200 && status != 404 {
                    self.outcome.problems.push(format!("{action} of {name} {version}: {status} {answer}"));
                }
                self.world.settle();
            }
            "owner-add" | "owner-remove" => self.change_owner(action, name, text("owner"), by),
            "fetch" => self.fetch(name, version),
            other => self.outcome.problems.push(format!("`{other}` is not played")),
        }
    }

    /// Empty crates in the place of those that replicas depend on and that the incident is not about.
    fn publish_surroundings(&mut self) {
        let mut own = BTreeSet::new();
        let mut wanted: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        for entry in fs::read_dir(&self.directory).unwrap() {
            let Ok(text) = fs::read_to_string(entry.unwrap().path().join("Cargo.toml")) else { continue };
            let manifest: toml::Table = text.parse().unwrap();
            own.insert(manifest["package"]["name"].as_str().unwrap().to_owned());
            let deps = metadata(&manifest, "", "")["deps"].as_array().unwrap().clone();
            for dependency in deps {
                let name = dependency["name"].as_str().unwrap().to_owned();
                let lowest = lowest(dependency["version_req"].as_str().unwrap());
                let features = dependency["features"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it.as_str().unwrap().to_owned());
                wanted.entry((name, lowest)).or_default().extend(features);
            }
        }
        let token = self.token("others");
        for ((name, version), features) in wanted.into_iter().filter(|((name, _), _)| !own.contains(name)) {
            let features: toml::Table =
                features.into_iter().map(|it| (it, toml::Value::Array(Vec::new()))).collect();
            let mut manifest: toml::Table =
                format!("[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2021\"\n")
                    .parse()
                    .unwrap();
            manifest.insert("features".to_owned(), toml::Value::Table(features));
            let archive = CrateBuilder::new(&name, &version)
                .without_manifest()
                .file("Cargo.toml", manifest.to_string())
                .file("src/lib.rs", "")
                .build();
            let (status, answer) = self.put(&manifest, &name, &version, &archive, &token);
            assert_eq!(status, 200, "{name} {version}: {answer}");
            self.world.settle();
            self.release(&name, &version);
        }
    }

    fn put(
        &self,
        manifest: &toml::Table,
        name: &str,
        version: &str,
        archive: &[u8],
        token: &str,
    ) -> (u16, String) {
        let metadata = metadata(manifest, name, version).to_string();
        let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
        body.extend(metadata.as_bytes());
        body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
        body.extend(archive);
        let headers = format!("authorization: {token}\r\nuser-agent: cargo/1.95.0\r\n");
        self.ask("PUT", "/api/v1/crates/new", &headers, &body)
    }

    fn publish(&mut self, entry: &toml::Table, name: &str, version: &str, by: &str, is_baseline: bool) {
        let directory = self.directory.join(entry["dir"].as_str().unwrap());
        let files = read_directory(&directory, &Limits::default()).unwrap();
        let mut builder = CrateBuilder::new(name, version).without_manifest();
        for file in &files.files {
            builder = builder.file_with_mode(&file.path, &file.contents, file.mode);
        }
        let archive = builder.build();
        let manifest: toml::Table =
            fs::read_to_string(directory.join("Cargo.toml")).unwrap().parse().unwrap();
        let token = self.token(by);
        let (mut status, mut answer) = self.put(&manifest, name, version, &archive, &token);
        if status == 403 && answer.contains("is not an owner") {
            // Who published without being an owner in a timeline had taken over somebody's account.
            let owner = self.owner_of(name);
            let stolen = self.token(&owner);
            (status, answer) = self.put(&manifest, name, version, &archive, &stolen);
        }
        if status != 200 {
            self.outcome.problems.push(format!("publishing {name} {version}: {status} {answer}"));
            return;
        }
        self.world.settle();
        if entry.get("malicious").and_then(toml::Value::as_bool).unwrap_or(false) {
            self.outcome.malicious.push((name.to_owned(), version.to_owned()));
        } else if is_baseline {
            // It was there before anybody looked.
            self.release(name, version);
        }
    }

    fn owner_of(&self, name: &str) -> String {
        let (_, answer) = self.ask("GET", &format!("/api/v1/crates/{name}/owners"), "", b"");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["users"][0]["login"].as_str().unwrap().to_owned()
    }

    fn release(&self, name: &str, version: &str) {
        if self.state(name, version) != "released" {
            let body = json!({ "target": { "crate": name, "version": version }, "action": "release", "reason": "it was there before" });
            self.world.administer("POST", "/admin/v1/decisions", &body);
        }
    }

    fn change_owner(&mut self, action: &str, name: &str, owner: &str, by: &str) {
        let other = self.token(owner);
        let acting = if by.is_empty() { self.owner_of(name) } else { by.to_owned() };
        let token = self.token(&acting);
        let method = if action == "owner-add" { "PUT" } else { "DELETE" };
        let body = json!({ "users": [owner] }).to_string();
        let path = format!("/api/v1/crates/{name}/owners");
        let (status, answer) =
            self.ask(method, &path, &format!("authorization: {token}\r\n"), body.as_bytes());
        if status != 200 {
            self.outcome.problems.push(format!("{action} of {owner} for {name}: {status} {answer}"));
        }
        if action == "owner-add" {
            let body = json!({ "crate_owner_invite": { "accepted": true } }).to_string();
            let path = format!("/api/v1/me/crate_owner_invitations/{name}");
            self.ask("PUT", &path, &format!("authorization: {other}\r\n"), body.as_bytes());
        }
        self.world.settle();
    }

    /// A victim, whose cargo asks this gate in the place of the default registry.
    fn fetch(&mut self, name: &str, version: &str) {
        self.outcome.fetches += 1;
        let number = self.outcome.fetches;
        let home = self.world.directory.path().join(format!("victim-{number}"));
        fs::create_dir_all(home.join("project/src")).unwrap();
        fs::create_dir_all(home.join("cargo")).unwrap();
        fs::write(
            home.join("cargo/config.toml"),
            format!(
                "[source.crates-io]\nreplace-with = \"gate\"\n[source.gate]\nregistry = \"sparse+http://{}/index/\"\n[net]\nretry = 0\n",
                self.world.address
            ),
        )
        .unwrap();
        let requirement = if version.is_empty() { ">=0".to_owned() } else { format!("={version}") };
        let manifest = format!(
            "[package]\nname = \"victim\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n{name} = \"{requirement}\"\n[workspace]\n"
        );
        fs::write(home.join("project/Cargo.toml"), manifest).unwrap();
        fs::write(home.join("project/src/lib.rs"), "").unwrap();
        let mut command = Command::new("cargo");
        command
            .args(["fetch"])
            .current_dir(home.join("project"))
            .env("CARGO_HOME", home.join("cargo"))
            .env_remove("CARGO_TARGET_DIR");
        let output = command.output().unwrap();
        if !output.status.success() {
            self.outcome.refused += 1;
        }
        let fetched: BTreeSet<String> = fs::read_dir(home.join("cargo/registry/cache"))
            .into_iter()
            .flatten()
            .flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap())
            .map(|it| it.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let exposed: Vec<String> = self
            .outcome
            .malicious
            .iter()
            .filter(|(name, version)| fetched.contains(&format!("{name}-{version}.crate")))
            .map(|(name, version)| format!("a victim has {name} {version}"))
            .collect();
        self.outcome.exposed.extend(exposed);
    }

    fn state(&self, name: &str, version: &str) -> String {
        let answer = self.world.administer(
            "GET",
            &format!("/admin/v1/versions/hosted/{name}/{version}"),
            &Value::Null,
        );
        answer["version"]["standing"]["state"].as_str().unwrap().to_owned()
    }

    fn conclude(&mut self) {
        self.world.settle();
        for (name, version) in self.outcome.malicious.clone() {
            let path = format!("/admin/v1/recall?crate={name}&version={version}");
            let fetches =
                self.world.administer("GET", &path, &Value::Null)["fetches"].as_array().unwrap().len();
            if fetches > 0 {
                self.outcome.exposed.push(format!("{name} {version} was given out {fetches} times"));
            }
        }
        let queue = self.world.administer("GET", "/admin/v1/queue", &Value::Null);
        for entry in queue["versions"].as_array().unwrap() {
            let place =
                (entry["crate"].as_str().unwrap().to_owned(), entry["version"].as_str().unwrap().to_owned());
            let is_harmless = self.directory.file_name().unwrap().to_str().unwrap().starts_with("harmless");
            if is_harmless && !self.outcome.malicious.contains(&place) {
                self.outcome
                    .held
                    .push(format!("{} {} is {}: {}", place.0, place.1, entry["state"], entry["reason"]));
            }
        }
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let answer = self.world.ask(method, path, headers, body);
        (answer.status, answer.body)
    }
}

/// Baseline and events, oldest first; what was there before comes first of what happens in the same second.
fn ordered(timeline: &toml::Table) -> Vec<(toml::Table, bool)> {
    let of = |key: &str| timeline.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let tables = |entries: Vec<toml::Value>, is_baseline: bool| {
        entries.into_iter().map(move |it| (it.as_table().unwrap().clone(), is_baseline)).collect::<Vec<_>>()
    };
    let mut baseline = tables(of("baseline"), true);
    let mut events = tables(of("event"), false);
    let at = |entry: &(toml::Table, bool)| seconds(entry.0["at"].as_str().unwrap());
    baseline.sort_by_key(at);
    events.sort_by_key(at);
    baseline.extend(events);
    baseline
}

/// `-5h` in seconds.
fn seconds(text: &str) -> i64 {
    let digits: String = text.chars().filter(|it| it.is_ascii_digit()).collect();
    let unit = match text.chars().last() {
        Some('d') => 86_400,
        Some('h') => 3_600,
        Some('m') => 60,
        _ => 1,
    };
    -digits.parse::<i64>().unwrap_or(0) * unit
}

/// The lowest version that a requirement accepts.
fn lowest(requirement: &str) -> String {
    let requirement: semver::VersionReq = requirement.parse().unwrap();
    match requirement.comparators.first() {
        Some(it) => format!("{}.{}.{}", it.major, it.minor.unwrap_or(0), it.patch.unwrap_or(0)),
        None => "1.0.0".to_owned(),
    }
}

/// What cargo would claim about a package with this manifest.
pub(crate) fn metadata(manifest: &toml::Table, name: &str, version: &str) -> Value {
    let mut deps = Vec::new();
    let mut collect = |table: Option<&toml::Value>, kind: &str, target: Option<&str>| {
        for (key, value) in table.and_then(toml::Value::as_table).into_iter().flatten() {
            let field = |key: &str| value.get(key).and_then(toml::Value::as_str);
            let requirement = value.as_str().or(field("version")).unwrap_or("*");
            let strings =
                |key: &str| value.get(key).cloned().unwrap_or_else(|| toml::Value::Array(Vec::new()));
            let flag =
                |key: &str, default: bool| value.get(key).and_then(toml::Value::as_bool).unwrap_or(default);
            deps.push(json!({
                "name": field("package").unwrap_or(key),
                "version_req": requirement,
                "features": strings("features"),
                "optional": flag("optional", false),
                "default_features": flag("default-features", true),
                "target": target,
                "kind": kind,
                "explicit_name_in_toml": field("package").map(|_| key),
            }));
        }
    };
    let sections = [("dependencies", "normal"), ("build-dependencies", "build"), ("dev-dependencies", "dev")];
    for (section, kind) in sections {
        collect(manifest.get(section), kind, None);
    }
    for (target, table) in manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten() {
        for (section, kind) in sections {
            collect(table.get(section), kind, Some(target));
        }
    }
    let package = &manifest["package"];
    json!({
        "name": name,
        "vers": version,
        "deps": deps,
        "features": manifest.get("features").cloned().unwrap_or_else(|| toml::Value::Table(toml::Table::new())),
        "links": package.get("links"),
        "rust_version": package.get("rust-version"),
    })
}
