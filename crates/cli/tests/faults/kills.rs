//! `kill -9` at random moments while somebody publishes: two hundred times, spread over sending, storing, writing and inspecting.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;

use crate::gate::{PATIENCE, Place, Running, Sample, answer};

/// Kills of each of the two gates, which run beside each other.
const KILLS: usize = 100;

/// Bytes of an archive: enough that sending and storing it takes a moment.
const SIZE: usize = 200_000;

/// How far publishes were when the gate was killed.
#[derive(Debug, Default)]
struct Tally {
    half_sent: usize,
    unanswered_and_not_there: usize,
    unanswered_and_there: usize,
    answered_and_pending: usize,
    answered_and_inspected: usize,
    repeated: usize,
}

#[test]
fn whoever_was_told_that_it_is_published_has_it_however_often_the_gate_is_killed() {
    let runs = std::thread::scope(|scope| {
        let run = |seed| scope.spawn(move || kill_often(seed));
        [run(1), run(2)].map(|it| it.join().unwrap())
    });
    for (tally, versions) in runs {
        println!("{KILLS} kills, {versions} versions published: {tally:?}");
        // Every step was hit.
        assert!(tally.half_sent > 0 && tally.unanswered_and_not_there > 0, "{tally:?}");
        assert!(tally.answered_and_pending > 0, "{tally:?}");
    }
}

fn kill_often(seed: u64) -> (Tally, usize) {
    let mut random = Rng::with_seed(seed);
    let mut place = Place::new("inspection-wait = 0", &["--offline"]);
    let mut running = place.open();
    let whole = undisturbed(&place, &mut random);
    let mut published: Vec<Sample> = Vec::new();
    let mut tally = Tally::default();
    let mut next = Sample::new(&mut random, SIZE);
    for kill in 0..KILLS {
        if random.u8(..6) == 0 {
            half_sent(&place, &next, &mut running, &mut random);
            tally.half_sent += 1;
            running = place.start();
            assert_eq!(place.state(&next), None, "half of a request is no version");
        } else {
            let status = killed_while_publishing(&place, &next, &mut running, whole, &mut random);
            running = place.start();
            let state = place.state(&next);
            match (status, state.as_deref()) {
                (Some(200), Some("pending")) => tally.answered_and_pending += 1,
                (Some(200), Some("released")) => tally.answered_and_inspected += 1,
                (None, None) => tally.unanswered_and_not_there += 1,
                (None, Some("pending" | "released")) => tally.unanswered_and_there += 1,
                other => panic!("kill {kill}, {next:?}: {other:?}\n{}", place.log()),
            }
            if state.is_some() {
                published.push(std::mem::replace(&mut next, another(&published, &mut random)));
            }
        }
        look_again(&place, &published, &next, &mut tally, &mut random);
    }
    place.settle();
    for version in &published {
        assert_eq!(place.state(version).as_deref(), Some("released"), "{version:?}\n{}", place.log());
        place.has_whole(version);
    }
    place.verify_audit_log(&["--data", place.data()]);
    drop(running);
    (tally, published.len())
}

/// How long a publish takes until it is confirmed, and until its version is in the index.
fn undisturbed(place: &Place, random: &mut Rng) -> [Duration; 2] {
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..3 {
        let version = Sample::new(random, SIZE);
        let since = Instant::now();
        let answer = place.publish(&version).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let confirmed = since.elapsed();
        place.until("it is in the index", || place.line(&version).is_some());
        shortest = [shortest[0].min(confirmed), shortest[1].min(since.elapsed())];
    }
    println!("publishing takes {:?}, until it is in the index {:?}", shortest[0], shortest[1]);
    shortest
}

/// A new crate, or one more version of one that is there.
fn another(published: &[Sample], random: &mut Rng) -> Sample {
    match published.last() {
        Some(last) if last.number == "1.0.0" && random.u8(..4) == 0 => {
            let name = last.name.clone();
            Sample::of(random, &name, "1.0.1", SIZE)
        }
        _ => Sample::new(random, SIZE),
    }
}

fn half_sent(place: &Place, version: &Sample, running: &mut Running, random: &mut Rng) {
    let request = place.publish_request(version);
    let mut stream = place.connect().unwrap();
    stream.write_all(&request[..random.usize(1..request.len())]).unwrap();
    std::thread::sleep(Duration::from_millis(random.u64(..10)));
    running.kill();
}

/// Gives the status of the answer, if there was one.
fn killed_while_publishing(
    place: &Place,
    version: &Sample,
    running: &mut Running,
    whole: [Duration; 2],
    random: &mut Rng,
) -> Option<u16> {
    // Connected before the time runs, so that the moments are those of the publish.
    let mut stream = place.connect().unwrap();
    let request = place.publish_request(version);
    // Half of them before the answer, where the steps are short.
    let moment = whole[usize::from(random.bool())].mul_f64(random.f64() * 1.1);
    std::thread::scope(|scope| {
        let client = scope.spawn(move || {
            let _ = stream.write_all(&request);
            answer(stream).ok().map(|it| it.status)
        });
        std::thread::sleep(moment);
        running.kill();
        client.join().unwrap()
    })
}

/// What is there stays there, what is not there is not half there, and what was published cannot be published again.
fn look_again(place: &Place, published: &[Sample], next: &Sample, tally: &mut Tally, random: &mut Rng) {
    assert!(place.line(next).is_none(), "{next:?}");
    assert_eq!(place.download(next).unwrap().status, 404, "{next:?}");
    let Some(last) = published.last() else { return };
    for version in [last, &published[random.usize(..published.len())]] {
        if place.line(version).is_some() {
            place.has_whole(version);
        } else {
            // Nobody has looked at it: it is there and not given out.
            assert_eq!(place.download(version).unwrap().status, 503, "{version:?}");
        }
    }
    if random.u8(..10) == 0 {
        let answer = place.publish(last).unwrap();
        assert!(answer.status == 409 && answer.text().contains("published before"), "{}", answer.text());
        tally.repeated += 1;
    }
}

/// An address that is told things: the first time it says nothing, from then on it accepts. Gives the numbers of deliveries as they come.
fn listener() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (send, received) = channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            let head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let lines: Vec<String> = head.take_while(|it| !it.is_empty()).collect();
            let number =
                lines.iter().find_map(|it| it.strip_prefix("cratekeeper-delivery: ")).unwrap().to_owned();
            if silent.is_empty() {
                silent.push(stream);
            } else {
                let _ =
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            }
            if send.send(number).is_err() {
                return;
            }
        }
    });
    (url, received)
}

#[test]
fn what_a_killed_gate_was_telling_somebody_is_told_by_the_next() {
    let mut place = Place::new("allow-private-addresses = true", &["--offline"]);
    let mut running = place.open();
    let (url, told) = listener();
    let webhook =
        json!({ "url": url, "secret": "sixteen characters", "events": ["verdict"], "reason": "a test" });
    let made = place.administer("POST", "/admin/v1/webhooks", &webhook).json();
    let test = format!("/admin/v1/webhooks/{}/test", made["webhook"]["id"]);
    assert_eq!(place.administer("POST", &test, &json!({ "reason": "a test" })).status, 200);
    let first = told.recv_timeout(PATIENCE).unwrap();
    running.kill();
    running = place.start();
    // Its lease of half a minute has to end.
    assert_eq!(told.recv_timeout(2 * PATIENCE).unwrap(), first);
    drop(running);
}
