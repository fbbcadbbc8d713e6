//! Two replicas over one PostgreSQL and one directory of archives, of which one is killed.

use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;

use crate::gate::{Place, Running, Sample, answer};
use crate::postgres::Cluster;

/// Kills in the middle of a publish.
const KILLS: usize = 12;

/// Decisions of which each has to be heeded at the other replica.
const HOLDS: usize = 30;

#[test]
fn what_one_replica_does_holds_at_the_other_and_whatever_it_leaves_is_finished() {
    let Some(cluster) = Cluster::start() else { return };
    let archives = tempfile::tempdir().unwrap();
    let (url, archives) = (cluster.url(), archives.path().display().to_string());
    let arguments = ["--offline", "--database", &url, "--archives", &archives];
    let (mut first, mut second) = (Place::new("", &arguments), Place::new("inspection-wait = 0", &arguments));
    let mut running = first.open();
    let other = second.start();
    second.token.clone_from(&first.token);
    let mut random = Rng::with_seed(40);

    // Published at one, given out by the other.
    let mut published = Vec::new();
    for _ in 0..5 {
        let version = Sample::new(&mut random, 20_000);
        assert_eq!(first.publish(&version).unwrap().status, 200);
        second.until("it is in the other's index", || second.line(&version).is_some());
        second.has_whole(&version);
        published.push(version);
    }
    holds_count_at_the_other(&first, &second, &published[0]);
    let again = kill_while_publishing(&first, &second, &mut running, &mut published, &mut random);
    println!("replicas: {KILLS} kills, {again} publishes repeated at the other replica");
    kill_while_inspecting(&first, &second, running, &mut published, &mut random);

    second.settle();
    for version in &published {
        assert_eq!(second.state(version).as_deref(), Some("released"), "{version:?}\n{}", second.log());
        second.has_whole(version);
    }
    second.verify_audit_log(&["--database", &url]);
    drop(other);
}

/// A decision that was confirmed at one replica is heeded by the very next download at the other.
fn holds_count_at_the_other(first: &Place, second: &Place, version: &Sample) {
    let target = json!({ "crate": version.name, "version": version.number });
    let mut slowest = Duration::ZERO;
    for _ in 0..HOLDS {
        second.has_whole(version);
        let hold = json!({ "target": target, "action": "hold", "enforcement": "hide", "reason": "a test" });
        let decision = first.administer("POST", "/admin/v1/decisions", &hold).json()["decision"].clone();
        let since = Instant::now();
        let answer = second.download(version).unwrap();
        assert_eq!(answer.status, 403, "the other replica gives it out: {}", answer.text());
        second.until("it is not in the other's index", || second.line(version).is_none());
        slowest = slowest.max(since.elapsed());
        let undo = json!({ "reason": "it was a test" });
        let path = format!("/admin/v1/decisions/{decision}/undo");
        assert_eq!(first.administer("POST", &path, &undo).status, 200);
        second.until("it is in the other's index again", || second.line(version).is_some());
    }
    println!(
        "replicas: of {HOLDS} holds each stopped the next download at the other; index files followed within {slowest:?}"
    );
}

/// Gives how many publishes had to be repeated.
fn kill_while_publishing(
    first: &Place,
    second: &Place,
    running: &mut Running,
    published: &mut Vec<Sample>,
    random: &mut Rng,
) -> usize {
    let mut again = 0;
    for _ in 0..KILLS {
        let version = Sample::new(random, 100_000);
        let (stream, request) = (first.connect().unwrap(), first.publish_request(&version));
        let moment = Duration::from_millis(random.u64(..120));
        let status = std::thread::scope(|scope| {
            let client = scope.spawn(move || {
                use std::io::Write as _;
                let mut stream = stream;
                let _ = stream.write_all(&request);
                answer(stream).ok().map(|it| it.status)
            });
            std::thread::sleep(moment);
            running.kill();
            client.join().unwrap()
        });
        let state = second.state(&version);
        match (status, state.as_deref()) {
            (Some(200), Some("pending" | "released")) | (None, Some("pending" | "released")) => {}
            (None, None) => {
                // Whoever was cut off publishes again, where there is somebody who answers.
                let answer = second.publish(&version).unwrap();
                assert!(matches!(answer.status, 200 | 409), "{}", answer.text());
                again += 1;
            }
            other => panic!("{other:?}"),
        }
        published.push(version);
        *running = first.start();
    }
    again
}

/// The other replica inspects what the killed one had begun, when its lease has ended.
fn kill_while_inspecting(
    first: &Place,
    second: &Place,
    mut running: Running,
    published: &mut Vec<Sample>,
    random: &mut Rng,
) {
    // Several at once, so that the killed one has begun some of them.
    let some: Vec<Sample> = (0..4).map(|_| Sample::new(random, 100_000)).collect();
    std::thread::scope(|scope| {
        for version in &some {
            scope.spawn(move || assert_eq!(first.publish(version).unwrap().status, 200));
        }
    });
    running.kill();
    let since = Instant::now();
    let pending = some.iter().filter(|it| second.state(it).as_deref() == Some("pending")).count();
    for version in &some {
        second.until("the other replica inspects it", || second.line(version).is_some());
        second.has_whole(version);
    }
    println!(
        "replicas: {pending} inspections were left, and finished by the other within {:.0} s",
        since.elapsed().as_secs_f32()
    );
    published.extend(some);
}
