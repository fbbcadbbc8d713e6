//! The incidents, live: every step of each timeline happens by HTTP in a running gate, and victims fetch with the machine's real cargo.
//!
//! The gate's clock is played, so that ages are those of the incident. Nothing of an incident is built; cargo only fetches. What is harmless is built, too. A version counts as exposed
//! when it was given out, or stands in a victim's lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;

use cratekeeper_archive::{CrateBuilder, Limits, read_directory};
use serde_json::{Value, json};

use crate::mirror::metadata;
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
            "{name:24} malicious {:2} exposed {:2} fetches {:2} refused {:2} harmless held {:2} built {:2} yanks rolled back {:2}",
            outcome.malicious.len(),
            outcome.exposed.len(),
            outcome.fetches,
            outcome.refused,
            outcome.held.len(),
            outcome.built,
            outcome.rolled_back,
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
    /// Fetches of harmless courses of events whose victim also built.
    built: usize,
    /// Versions that were withdrawn by an attacker, and put back by one command.
    rolled_back: usize,
    problems: Vec<String>,
}

/// Real crates, with all that they depend on, that harmless replicas build with; they come from cargo's cache.
const REAL: [&str; 3] = ["cc", "find-msvc-tools", "shlex"];

/// An incident in a gate.
pub(crate) struct Stage {
    directory: PathBuf,
    /// Nothing in it is malicious, and everything that it depends on is whole: it can be built.
    is_built: bool,
    pub(crate) world: World,
    tokens: BTreeMap<String, String>,
    outcome: Outcome,
}

impl Stage {
    fn play(directory: &Path) -> Outcome {
        let (mut stage, timeline) = Stage::after(directory);
        stage.roll_back_yanks(&timeline);
        stage.conclude();
        stage.outcome
    }

    /// The gate as an incident leaves it, before anybody does something about it.
    pub(crate) fn over(directory: &Path) -> Stage {
        Stage::after(directory).0
    }

    fn after(directory: &Path) -> (Stage, toml::Table) {
        let world =
            World::open(END - 4_000 * 86_400, |configuration| configuration.is_default_registry = true);
        let mut stage = Stage {
            directory: directory.to_owned(),
            is_built: is_harmless(directory),
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
        (stage, timeline)
    }

    /// Takes back what an account withdrew that published something malicious: one command, after which victims get good versions again.
    fn roll_back_yanks(&mut self, timeline: &toml::Table) {
        let events = timeline.get("event").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let of = |event: &toml::Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let yanked: Vec<(String, String, String)> = events
            .iter()
            .filter(|it| it["action"].as_str() == Some("yank"))
            .map(|it| (of(it, "crate"), of(it, "version"), of(it, "by")))
            .collect();
        let Some((name, _, by)) = yanked.first().cloned().filter(|_| !self.is_harmless()) else { return };
        // The attacker may have withdrawn their own as well: that is what nobody needs back.
        let is_good = |version: &str| !self.outcome.malicious.contains(&(name.clone(), version.to_owned()));
        let body = json!({ "by": by, "from": 0, "to": END + 1, "reason": "the account was taken over" });
        let answer = self.world.administer("POST", "/admin/v1/rollback-yanks", &body);
        self.outcome.rolled_back = answer["versions"].as_array().unwrap().len();
        let path = format!("/index/{}/{}/{name}", &name[..2], &name[2..4]);
        let (_, index) = self.ask("GET", &path, "", b"");
        for (_, version, _) in yanked.iter().filter(|it| is_good(&it.1)) {
            let line = index.lines().find(|it| it.contains(&format!("\"vers\":\"{version}\"")));
            if !line.is_some_and(|it| it.contains("\"yanked\":false")) {
                self.outcome.problems.push(format!("{name} {version} is still withdrawn: {line:?}"));
            }
        }
        let refused = self.outcome.refused;
        let newest = yanked.iter().map(|it| it.1.as_str()).rfind(|it| is_good(it));
        self.fetch(&name, newest.unwrap_or_default());
        if self.outcome.refused != refused {
            self.outcome.problems.push(format!("no victim gets {name} after the rollback"));
        }
    }

    fn is_harmless(&self) -> bool {
        is_harmless(&self.directory)
    }

    /// The token of an account, which is made where there is none.
    fn token(&mut self, login: &str) -> String {
        if let Some(token) = self.tokens.get(login) {
            return token.clone();
        }
        self.world.administer("POST", "/admin/v1/users", &json!({ "login": login, "reason": "a test" }));
        let scopes = ["publish-new", "publish-update", "yank", "change-owners"];
        let body = json!({ "user": login, "name": "test", "scopes": scopes, "reason": "a test" });
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
            if self.is_harmless() && REAL.contains(&name.as_str()) {
                REAL.iter().rev().for_each(|it| self.publish_real(it, &token));
                continue;
            }
            self.is_built = false;
            self.publish_stand_in(&name, &version, features, &token);
        }
    }

    /// An empty crate of this name, with these features.
    fn publish_stand_in(&self, name: &str, version: &str, features: BTreeSet<String>, token: &str) {
        let features: toml::Table =
            features.into_iter().map(|it| (it, toml::Value::Array(Vec::new()))).collect();
        let mut manifest: toml::Table =
            format!("[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2021\"\n")
                .parse()
                .unwrap();
        manifest.insert("features".to_owned(), toml::Value::Table(features));
        let archive = CrateBuilder::new(name, version)
            .without_manifest()
            .file("Cargo.toml", manifest.to_string())
            .file("src/lib.rs", "")
            .build();
        let (status, answer) = self.put(&manifest, name, version, &archive, token);
        assert_eq!(status, 200, "{name} {version}: {answer}");
        self.world.settle();
        self.release(name, version);
    }

    /// The newest version of a real crate that is at hand.
    fn publish_real(&self, name: &str, token: &str) {
        let version = |path: &Path| {
            let stem = path.file_stem()?.to_str()?.strip_prefix(name)?.strip_prefix('-')?;
            stem.parse::<semver::Version>().ok()
        };
        let files = super::mirror::caches().into_iter().flat_map(|it| fs::read_dir(it).unwrap());
        let files = files.map(|it| it.unwrap().path()).filter_map(|it| Some((version(&it)?, it)));
        let (version, file) = files.max().unwrap_or_else(|| panic!("`{name}` is not in cargo's cache"));
        let archive = fs::read(file).unwrap();
        let manifest = super::mirror::manifest_of(&archive, name, &version.to_string());
        // What only features that nobody asks for would bring.
        for dependency in metadata(&manifest, name, "")["deps"].as_array().unwrap() {
            let (other, kind) = (dependency["name"].as_str().unwrap(), dependency["kind"].as_str());
            if kind != Some("dev") && dependency["optional"] == true {
                let lowest = lowest(dependency["version_req"].as_str().unwrap());
                self.publish_stand_in(other, &lowest, BTreeSet::new(), token);
            }
        }
        let (status, answer) = self.put(&manifest, name, &version.to_string(), &archive, token);
        assert!(status == 200 || answer.contains("was published before"), "{name}: {status} {answer}");
        self.world.settle();
        self.release(name, &version.to_string());
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
        } else if self.is_built {
            self.build(&home);
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

    /// What is harmless is built, too: nobody is helped by a version that is given out and does not compile.
    fn build(&mut self, home: &Path) {
        let mut command = Command::new("cargo");
        command
            .args(["build", "--offline", "--quiet"])
            .current_dir(home.join("project"))
            .env("CARGO_HOME", home.join("cargo"))
            .env("CARGO_TARGET_DIR", home.join("target"));
        let output = command.output().unwrap();
        if output.status.success() {
            self.outcome.built += 1;
        } else {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            self.outcome.problems.push(format!("a victim cannot build: {said}"));
        }
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
            if self.is_harmless() && !self.outcome.malicious.contains(&place) {
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

fn is_harmless(directory: &Path) -> bool {
    directory.file_name().is_some_and(|it| it.to_string_lossy().starts_with("harmless"))
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
