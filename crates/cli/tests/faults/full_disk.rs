//! A disk without room: the gate's data is on a file system of a few megabytes, in a mount namespace of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use fastrand::Rng;
use serde_json::Value;

use crate::gate::{Place, Running, Sample};

/// Size of the file system: a database, and some archives.
const ROOM: &str = "24m";

/// Bytes that are taken from it by something else, and given back.
const FILLER: usize = 8 << 20;

/// Says that no mounting is possible, and that this is known.
const WITHOUT: &str = "CRATEKEEPER_WITHOUT_MOUNTS";

/// Ways to a mount namespace: as root, and as anybody where the system lets them.
const WAYS: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--map-root-user", "--mount"]];

/// Mounts a small file system over the directory `$1`, puts back what was in it, and becomes the rest of the arguments.
const SCRIPT: &str = r#"set -e; directory=$1; room=$2; shift 2
    kept=$(cat "$directory/gate.toml")
    mount -t tmpfs -o size="$room",mode=700 none "$directory"
    printf '%s\n' "$kept" > "$directory/gate.toml"
    exec "$@""#;

fn way() -> Option<&'static [&'static str]> {
    WAYS.into_iter().find(|way| {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["--", "mount", "-t", "tmpfs", "none"]).arg(directory.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    })
}

fn start(place: &Place, way: &[&str]) -> Running {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).args(["--", "sh", "-c", SCRIPT, "sh", place.data(), ROOM]);
    command.arg(env!("CARGO_BIN_EXE_cratekeeper"));
    place.start_by(command)
}

#[test]
fn a_full_disk_is_said_clearly_and_loses_nothing() {
    let Some(way) = way() else {
        assert!(
            std::env::var_os(WITHOUT).is_some(),
            "no file system can be mounted here (`unshare --mount`); set {WITHOUT}=1 if that is known"
        );
        println!("not measured: a full disk; no file system can be mounted here");
        return;
    };
    let mut random = Rng::with_seed(3);
    let mut place = Place::new("inspection-wait = 5", &["--offline"]);
    let running = start(&place, way);
    place.set_up(&running);
    // The gate's file system, seen from outside.
    let inside = PathBuf::from(format!("/proc/{}/root{}", running.id(), place.data()));
    let filler = inside.join("filler");
    fs::write(&filler, vec![0; FILLER]).unwrap();

    let first = Sample::new(&mut random, 1_000);
    assert_eq!(place.publish(&first).unwrap().status, 200);
    place.settle();
    let (published, refused) = publish_until_full(&place, &mut random);
    place.has_no_half(&refused);

    // Not one byte is left.
    let rest = inside.join("rest");
    fill(&rest);
    let small = Sample::new(&mut random, 1_000);
    let answer = place.publish(&small).unwrap();
    assert!(matches!(answer.status, 503 | 507), "{}: {}", answer.status, answer.text());
    answer.is_clean_error(&place);
    place.has_no_half(&small);
    reads_go_on(&place, &first, 2_000);

    fs::remove_file(&rest).unwrap();
    fs::remove_file(&filler).unwrap();
    for version in [&refused, &small] {
        let answer = place.publish(version).unwrap();
        assert_eq!(answer.status, 200, "there is room again: {}", answer.text());
    }
    for version in published.iter().chain([&first, &refused, &small]) {
        // Whoever asks for what could not be inspected has it inspected again.
        place.until("it is given out", || place.download(version).unwrap().status == 200);
        place.has_whole(version);
    }
    // A copy, because SQLite follows links as this process sees them.
    let copy = place.path("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["cratekeeper.sqlite", "cratekeeper.sqlite-wal"] {
        fs::copy(inside.join(file), copy.join(file)).unwrap();
    }
    place.verify_audit_log(&["--data", copy.to_str().unwrap()]);
    println!("full disk: {} versions published before it was full, {ROOM} in all", published.len());
}

/// Gives what was published, and what was not.
fn publish_until_full(place: &Place, random: &mut Rng) -> (Vec<Sample>, Sample) {
    let mut published = Vec::new();
    loop {
        let version = Sample::new(random, 1 << 20);
        let answer = place.publish(&version).unwrap();
        if answer.status != 200 {
            assert!(matches!(answer.status, 503 | 507), "{}: {}", answer.status, answer.text());
            answer.is_clean_error(place);
            assert!(answer.status == 503 || answer.text().contains("no room left"), "{}", answer.text());
            return (published, version);
        }
        published.push(version);
        assert!(published.len() < 100, "the disk is larger than it should be");
    }
}

/// Index files are given out; an archive, too, as long as its fetch can be written down, and else nothing of it.
fn reads_go_on(place: &Place, version: &Sample, downloads: usize) {
    let (mut given, mut refused) = (0, 0);
    for _ in 0..downloads {
        let answer = place.download(version).unwrap();
        match answer.status {
            200 => given += 1,
            503 | 507 => {
                answer.is_clean_error(place);
                refused += 1;
                break;
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    println!("full disk: {given} downloads were recorded and given out, {refused} refused");
    let line = place.line(version).expect("index files need no room");
    assert_eq!(line["cksum"].as_str(), Some(version.checksum().as_str()));
    assert_eq!(place.get("/health/live").status, 200);
    // The log of who fetched what is whole: one record for each download that was given out.
    let path = format!("/admin/v1/recall?crate={}&version={}", version.name, version.number);
    let answer = place.administer("GET", &path, &Value::Null);
    assert_eq!(answer.json()["fetches"].as_array().unwrap().len(), given);
}

fn fill(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

impl Place {
    /// Nothing of a version can be seen.
    #[track_caller]
    fn has_no_half(&self, version: &Sample) {
        assert!(self.line(version).is_none(), "{version:?}");
        assert_eq!(self.download(version).unwrap().status, 404, "{version:?}");
    }
}
