//! What strangers send: mangled paths, bodies, tokens and questions, ten thousand of each kind. Whatever comes is answered, by no 5xx, without
//! a word about the inside, and the gate works afterwards.

use cratekeeper_archive::CrateBuilder;
use fastrand::Rng;

use crate::world::{Answer, World};

/// Cases of each kind.
const CASES: usize = 10_000;

/// Of mangled archives, each of which starts a worker; `archive` itself is tested with ten thousand.
const ARCHIVES: usize = 150;

/// Pieces that mangled text is made of.
const PIECES: [&str; 32] = [
    "..",
    "/",
    "//",
    "%2e%2e",
    "%2f",
    "%00",
    "%",
    "%zz",
    "\\",
    ".",
    "~",
    ":",
    "@",
    "?",
    "#",
    "&",
    "=",
    "+",
    "-",
    "_",
    "a",
    "se",
    "serde",
    "config.json",
    "1",
    "3",
    "gate",
    "hosted",
    "index",
    "download",
    "1.0.0",
    "ä",
];

pub(crate) fn bad_input() -> bool {
    let mirror = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(mirror.path().join("index")).unwrap();
    let index = mirror.path().display().to_string();
    let world = World::open(1_790_000_000, |configuration| {
        let upstream = cratekeeper_server::UpstreamConfiguration { index, ..Default::default() };
        configuration.upstream.insert("mirror".to_owned(), upstream);
    });
    let mut random = Rng::with_seed(7);
    paths(&world, &mut random);
    questions(&world, &mut random);
    tokens(&world, &mut random);
    publishes(&world, &mut random);
    requests(&world, &mut random);
    let alive = world.ask("GET", "/health/ready", "", b"");
    assert_eq!(alive.status, 200, "{}", alive.body);
    true
}

/// The answer tells nothing about the inside, and nothing broke.
#[track_caller]
fn is_harmless(world: &World, answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.body);
    let inside = world.directory.path().to_str().unwrap();
    for word in [inside, "panicked", "sqlx", "SELECT", ".rs:", "RUST_BACKTRACE"] {
        assert!(!answer.body.contains(word), "{what}: `{word}` in {}", answer.body);
    }
}

fn mangled(random: &mut Rng, longest: usize) -> String {
    (0..random.usize(..longest)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
}

fn paths(world: &World, random: &mut Rng) {
    let roots = [
        "/index/",
        "/proxy/mirror/index/",
        "/proxy/",
        "/api/v1/crates/",
        "/proxy/mirror/dl/",
        "/hosted/",
        "/setup/",
        "/admin/v1/",
        "/",
    ];
    for _ in 0..CASES {
        let path = format!("{}{}", roots[random.usize(..roots.len())], mangled(random, 8))
            .replace([' ', '#'], "x")
            .replace('ä', "%C3%A4");
        let answer = world.ask("GET", &path, "", b"");
        is_harmless(world, &answer, &path);
        assert!(!answer.body.contains("root:"), "{path}");
    }
}

fn questions(world: &World, random: &mut Rng) {
    let roots = [
        "/api/v1/crates?q=",
        "/api/v1/crates?per_page=",
        "/admin/v1/queue?state=",
        "/admin/v1/recall?crate=",
        "/admin/v1/audit-log?before=",
    ];
    for number in 0..CASES {
        let values = [
            "18446744073709551616",
            "-1",
            "1e9",
            "NaN",
            "%",
            "%ff%fe",
            "'; DROP TABLE versions; --",
            "\u{202e}",
            "held",
            "",
        ];
        let value = if number % 2 == 0 {
            values[random.usize(..values.len())].to_owned()
        } else {
            mangled(random, 6)
        };
        let escaped: String = value
            .bytes()
            .map(|it| {
                if it.is_ascii_graphic() && it != b'#' {
                    char::from(it).to_string()
                } else {
                    format!("%{it:02X}")
                }
            })
            .collect();
        let path = format!("{}{escaped}", roots[random.usize(..roots.len())]);
        let headers = format!("authorization: {}\r\n", world.admin);
        is_harmless(world, &world.ask("GET", &path, &headers, b""), &path);
    }
}

fn tokens(world: &World, random: &mut Rng) {
    for _ in 0..CASES {
        let mut token = world.admin.clone().into_bytes();
        match random.u8(..5) {
            0 => token.truncate(random.usize(..token.len())),
            1 => token.push(random.u8(b'!'..b'~')),
            2 => token = (0..random.usize(..400)).map(|_| random.u8(b' '..=b'~')).collect(),
            3 => token.insert(random.usize(..token.len()), b' '),
            _ => {
                let place = random.usize(..token.len());
                token[place] = token[place].wrapping_add(random.u8(1..4)).clamp(b'!', b'~');
            }
        }
        let token = String::from_utf8(token).unwrap();
        let answer = world.ask("GET", "/admin/v1/status", &format!("authorization: {token}\r\n"), b"");
        is_harmless(world, &answer, &token);
        let is_same = token.trim().trim_start_matches("Bearer ").trim() == world.admin;
        assert!(answer.status == 401 || is_same, "`{token}`: {} {}", answer.status, answer.body);
    }
}

pub(crate) fn body(metadata: &[u8], archive: &[u8]) -> Vec<u8> {
    let mut body = u32::try_from(metadata.len()).unwrap().to_le_bytes().to_vec();
    body.extend(metadata);
    body.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
    body.extend(archive);
    body
}

fn publishes(world: &World, random: &mut Rng) {
    let metadata = br#"{"name":"demo","vers":"1.0.0","deps":[],"features":{},"authors":[],"license":"MIT","description":"d"}"#;
    let archive = CrateBuilder::new("demo", "1.0.0").file("src/lib.rs", "").build();
    let headers = format!("authorization: {}\r\n", world.admin);
    for number in 0..CASES {
        let (mut metadata, mut archive) = (metadata.to_vec(), archive.clone());
        let is_archive = number % (CASES / ARCHIVES) == 0;
        let target = if is_archive { &mut archive } else { &mut metadata };
        for _ in 0..random.usize(1..6) {
            let place = random.usize(..target.len());
            match random.u8(..3) {
                0 => target[place] = random.u8(..),
                1 => {
                    target.remove(place);
                }
                _ => target.insert(place, random.u8(..)),
            }
        }
        let mut bytes = body(&metadata, &archive);
        if !is_archive && number % 3 == 0 {
            let place =
                if random.bool() { random.usize(..4) } else { 4 + metadata.len() + random.usize(..4) };
            bytes[place] = random.u8(..);
        }
        if number % 5 == 0 {
            bytes.truncate(random.usize(..bytes.len()));
        }
        let answer = world.ask("PUT", "/api/v1/crates/new", &headers, &bytes);
        is_harmless(world, &answer, &format!("publish {number}"));
    }
}

/// Requests that are none.
fn requests(world: &World, random: &mut Rng) {
    for number in 0..CASES / 50 {
        let mut request =
            b"PUT /api/v1/crates/new HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".to_vec();
        for _ in 0..random.usize(1..8) {
            let place = random.usize(..request.len());
            request[place] = random.u8(..);
        }
        is_harmless(world, &world.send(&request, false), &format!("request {number}"));
    }
}
