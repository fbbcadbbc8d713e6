//! Which pages are asked for, and how long each takes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cratekeeper_archive::CrateBuilder;
use fastrand::Rng;
use serde_json::json;

use crate::generate::{CRATES, ENTRIES, Made, name, publisher};
use crate::{Keys, WITHIN};

/// How often each page is asked for.
const TIMES: usize = 60;

/// A request, and what came back.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>, Duration) {
    let since = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let took = since.elapsed();
    let text = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    (status, answer, took)
}

/// Publishes two versions with some files, so that there is something to be looked into; gives the number of the newer one.
fn archive(address: &str, keys: &Keys) -> u64 {
    for (version, lines) in [("1.0.0", 400), ("1.1.0", 500)] {
        let manifest =
            format!("[package]\nname = \"looked-into\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        let line =
            |it: usize| format!("pub fn function_{it}(value: u64) -> u64 {{ value.wrapping_mul({it}) }}\n");
        let mut crate_file =
            CrateBuilder::new("looked-into", version).without_manifest().file("Cargo.toml", manifest);
        for file in 0..40 {
            let text: String = (0..lines).map(|it| line(it + file)).collect();
            let path = if file == 0 { "src/lib.rs".to_owned() } else { format!("src/module_{file}.rs") };
            crate_file = crate_file.file(&path, text);
        }
        let archive = crate_file.build();
        let metadata =
            json!({ "name": "looked-into", "vers": version, "deps": [], "features": {}, "authors": [] })
                .to_string();
        let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
        body.extend(metadata.as_bytes());
        body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
        body.extend(archive);
        let (status, answer, _) =
            ask(address, "PUT", "/api/v1/crates/new", &format!("authorization: {}\r\n", keys.token), &body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }
    let path = "/admin/v1/versions/hosted/looked-into/1.1.0";
    let headers = format!("authorization: {}\r\n", keys.token);
    for _ in 0..600 {
        let (_, answer, _) = ask(address, "GET", path, &headers, b"");
        let text = String::from_utf8_lossy(&answer).into_owned();
        let body = text.split_once("\r\n\r\n").map_or("", |it| it.1);
        let known: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        if known["version"]["inspected_at"].is_i64() {
            return known["version"]["id"].as_u64().unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it is not inspected within a minute");
}

/// Asks for every page; gives how many are too slow.
pub(crate) fn measure(address: &str, keys: &Keys, made: &Made) -> usize {
    let looked_into = archive(address, keys);
    let mut random = Rng::with_seed(7);
    let cookie = format!("cookie: cratekeeper-session={}\r\n", keys.session);
    let mut slow = 0;
    println!("  {:<44} {:>9} {:>9} {:>9} {:>9}", "page", "median ms", "p95 ms", "max ms", "KiB");
    for (page, path) in all(made, looked_into) {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..TIMES {
            let path = format!("/console{}", path(&mut random));
            let (status, answer, took) = ask(address, "GET", &path, &cookie, b"");
            assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&answer));
            times.push(took);
            bytes = bytes.max(answer.len());
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share).div_ceil(100) - 1];
        let shown = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let mark = if at(95) < WITHIN { "" } else { "  too slow" };
        slow += usize::from(at(95) >= WITHIN);
        println!(
            "  {page:<44} {:>9} {:>9} {:>9} {:>9}{mark}",
            shown(at(50)),
            shown(at(95)),
            shown(at(100)),
            bytes >> 10
        );
    }
    slow
}

type Path<'a> = Box<dyn Fn(&mut Rng) -> String + 'a>;

fn all(made: &Made, looked_into: u64) -> Vec<(&'static str, Path<'_>)> {
    fn fixed(path: &'static str) -> Path<'static> {
        Box::new(move |_| path.to_owned())
    }
    let suspect = |random: &mut Rng| made.suspects[random.usize(..made.suspects.len())];
    let entry = |random: &mut Rng| random.i64(1..ENTRIES);
    vec![
        ("queue", fixed("/queue")),
        ("queue, oldest first", fixed("/queue?order=oldest")),
        ("queue, closed", fixed("/queue?state=closed")),
        (
            "queue, of a rule",
            Box::new(|it| {
                let rules = cratekeeper_engine::rules();
                format!("/queue?state=all&rule={}", rules[it.usize(..rules.len())].id)
            }),
        ),
        ("queue, of a publisher", Box::new(|it| format!("/queue?publisher={}", publisher(it.u64(..100))))),
        ("queue, of a registry", fixed("/queue?registry=hosted")),
        ("queue, of what is held", fixed("/queue?standing=held")),
        ("queue, of what was released", fixed("/queue?standing=released")),
        ("case", Box::new(move |it| format!("/case/{}", suspect(it).0))),
        ("draft of an advisory", Box::new(move |it| format!("/case/{}/advisory", suspect(it).0))),
        ("version without a case", Box::new(|it| format!("/version/{}", it.u64(1..made.versions)))),
        ("version with a case", Box::new(move |it| format!("/version/{}", suspect(it).1))),
        (
            "file",
            Box::new(move |it| format!("/version/{looked_into}/file?file=src/module_{}.rs", it.u64(1..40))),
        ),
        ("difference", Box::new(move |_| format!("/version/{looked_into}/difference"))),
        ("callers of a popular crate", Box::new(|it| format!("/version/{}/callers", it.u64(1..20)))),
        ("crate", Box::new(|it| format!("/crate/hosted/{}", name(it.u64(..CRATES))))),
        ("popular crate", Box::new(|it| format!("/crate/hosted/{}", name(it.u64(..30))))),
        ("publisher", Box::new(|it| format!("/publisher/hosted/{}", publisher(it.u64(50..300))))),
        ("busy publisher", Box::new(|it| format!("/publisher/hosted/{}", publisher(it.u64(..10))))),
        ("search, a whole name", Box::new(|it| format!("/search?q={}", name(it.u64(..CRATES))))),
        ("search, a part of many names", fixed("/search?q=crypt")),
        ("search, a person", Box::new(|it| format!("/search?q=person{}", it.u64(..200)))),
        ("search, what there is not", fixed("/search?q=nothing-like-this")),
        ("approvals", fixed("/requests")),
        ("names", fixed("/names")),
        ("people", fixed("/people")),
        ("a person", Box::new(|it| format!("/people/person{}", it.u64(..200)))),
        ("audit log", fixed("/audit-log")),
        ("audit log, by a person", Box::new(|it| format!("/audit-log?actor=person{}", it.u64(..200)))),
        ("audit log, a rare action", fixed("/audit-log?action=user.create")),
        ("audit log, a kind of actions", fixed("/audit-log?action=decision.*")),
        (
            "audit log, of an object",
            Box::new(|it| format!("/audit-log?object={}@1.0.0", name(it.u64(..CRATES)))),
        ),
        ("an entry", Box::new(move |it| format!("/audit-log/{}", entry(it)))),
        ("insights", fixed("/insights")),
        ("rules", fixed("/rules")),
        ("policy", fixed("/policy")),
        ("system", fixed("/system")),
        ("an account of one's own", fixed("/account")),
    ]
}
