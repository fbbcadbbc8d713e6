//! A PostgreSQL that is stopped in the way of a crash and started again below a gate that runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::gate::{PATIENCE, Place, Sample};
use crate::server;

/// Says that PostgreSQL's programs are missing on purpose.
const WITHOUT: &str = "CRATEKEEPER_WITHOUT_POSTGRES";

/// A server of its own, which can be stopped.
pub(crate) struct Cluster {
    programs: PathBuf,
    directory: PathBuf,
}

impl Cluster {
    /// `None` when PostgreSQL is missing on purpose.
    pub(crate) fn start() -> Option<Cluster> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Some(programs) = server::programs() else {
            assert!(
                std::env::var_os(WITHOUT).is_some(),
                "PostgreSQL is needed (Debian package `postgresql`)"
            );
            println!("not measured: PostgreSQL is missing on purpose");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short, because the path of a socket has at most 107 bytes.
        let directory = std::env::temp_dir().join(format!("ckpf-{}-{number}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        server::start(&programs, &directory, std::process::id()).unwrap();
        let cluster = Cluster { programs, directory };
        cluster.is_ready();
        Some(cluster)
    }

    /// What was confirmed is on disk, as far as a crash of the server is concerned: the tests' servers leave that out otherwise.
    pub(crate) fn url(&self) -> String {
        let directory = self.directory.display();
        format!("postgres:///postgres?host={directory}&user=gate&options[synchronous_commit]=on")
    }

    /// Ends at once, without a word to anybody, and without writing down what is in memory.
    pub(crate) fn crash(&self) {
        let file = self.directory.join("data/postmaster.pid");
        let text = fs::read_to_string(&file).unwrap();
        let process = text.lines().next().unwrap().trim().to_owned();
        assert!(Command::new("kill").args(["-QUIT", &process]).status().unwrap().success());
        let since = Instant::now();
        while PathBuf::from(format!("/proc/{process}")).exists() {
            assert!(since.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn restart(&self) {
        fs::remove_file(self.directory.join("log")).unwrap();
        server::run(
            &self.programs.join("postgres"),
            &self.directory.join("data"),
            &self.directory,
            std::process::id(),
        );
        self.is_ready();
    }

    fn is_ready(&self) {
        let since = Instant::now();
        loop {
            let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
            if log.contains("ready to accept connections") {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "PostgreSQL did not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_database_that_crashes_takes_nothing_with_it() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.url();
    let mut place = Place::new("inspection-wait = 5", &["--offline", "--database", &url]);
    let running = place.open();
    let published = Mutex::new(Vec::new());
    let refused = AtomicU32::new(0);
    let ends = AtomicBool::new(false);
    for _ in 0..2 {
        ends.store(false, Ordering::Release);
        std::thread::scope(|scope| {
            for seed in 0..2 {
                let (place, published, refused, ends) = (&place, &published, &refused, &ends);
                let mut random = Rng::with_seed(30 + seed + published.lock().unwrap().len() as u64);
                scope.spawn(move || {
                    while !ends.load(Ordering::Acquire) {
                        let version = Sample::new(&mut random, 2_000);
                        let answer = place.publish(&version).unwrap();
                        match answer.status {
                            200 => published.lock().unwrap().push(version),
                            503 => {
                                answer.is_clean_error(place);
                                refused.fetch_add(1, Ordering::AcqRel);
                            }
                            other => panic!("{other}: {}", answer.text()),
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(700));
            cluster.crash();
            // While it is away: answers, and no others than these.
            place.until("somebody is refused", || refused.load(Ordering::Acquire) > 0);
            assert_eq!(place.get("/health/ready").status, 503);
            assert_eq!(place.get("/health/live").status, 200);
            refused.store(0, Ordering::Release);
            cluster.restart();
            let before = published.lock().unwrap().len();
            place.until("publishing goes on", || published.lock().unwrap().len() > before + 2);
            ends.store(true, Ordering::Release);
        });
    }
    assert_eq!(place.get("/health/ready").status, 200);
    place.settle();
    let published = published.into_inner().unwrap();
    for version in &published {
        assert_eq!(place.state(version).as_deref(), Some("released"), "{version:?}");
        place.has_whole(version);
    }
    place.verify_audit_log(&["--database", &url]);
    println!("database restart: {} publishes confirmed, all there", published.len());
    drop(running);
}
