//! A program that is gone from its place while it runs, as in the middle of an update: workers cannot be started.

use std::fs;
use std::process::Command;

use fastrand::Rng;

use crate::gate::{Place, Sample};

#[test]
fn a_worker_that_cannot_be_started_is_nobodys_fault_who_publishes() {
    let mut random = Rng::with_seed(31);
    let mut place = Place::new("inspection-wait = 5", &["--offline"]);
    let (own, program) = (env!("CARGO_BIN_EXE_cratekeeper"), place.path("cratekeeper"));
    // A link is as good as a copy, and takes no room.
    let install = || fs::hard_link(own, &program).or_else(|_| fs::copy(own, &program).map(|_| ()));
    install().unwrap();
    let running = place.start_by(Command::new(&program));
    place.set_up(&running);
    fs::remove_file(&program).unwrap();
    let version = Sample::new(&mut random, 1_000);
    let answer = place.publish(&version).unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text());
    answer.is_clean_error(&place);
    assert!(answer.text().contains("try again in a while"), "{}", answer.text());
    assert!(place.log().contains("failed to start an analysis worker"), "{}", place.log());
    assert!(place.line(&version).is_none());
    install().unwrap();
    assert_eq!(place.publish(&version).unwrap().status, 200);
    place.until("it is inspected", || place.line(&version).is_some());
    place.has_whole(&version);
    // What is wrong with an archive is still its publisher's to know.
    let broken = Sample { bytes: b"no archive".to_vec(), ..Sample::new(&mut random, 10) };
    let answer = place.publish(&broken).unwrap();
    assert!(answer.status == 400 && answer.text().contains("cannot be accepted"), "{}", answer.text());
    drop(running);
}
