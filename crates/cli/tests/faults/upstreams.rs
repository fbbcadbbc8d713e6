//! Upstreams that are down, slow, or lie. What is known goes on being given out, nothing unverified ever is, and errors name the upstream.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cratekeeper_model::Checksum;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::gate::{Answer, Place, Sample};
use crate::registry::{Behaviour, Registry, archive, line};

impl Place {
    fn proxy_index(&self, upstream: &str, version: &Sample) -> Answer {
        self.get(&format!("/proxy/{upstream}/index/{}", version.index_path()))
    }

    fn proxy_download(&self, upstream: &str, version: &Sample) -> Answer {
        self.get(&format!("/proxy/{upstream}/dl/{}/{}/download", version.name, version.number))
    }

    #[track_caller]
    fn proxies_whole(&self, upstream: &str, version: &Sample) {
        let answer = self.proxy_download(upstream, version);
        assert_eq!(answer.status, 200, "{upstream}: {}", answer.text());
        assert_eq!(Checksum::of(&answer.body).to_string(), version.checksum(), "{upstream}");
    }

    /// An answer that says which upstream it is about, and gives nothing.
    #[track_caller]
    fn blames(&self, upstream: &str, answer: &Answer) {
        answer.is_clean_error(self);
        assert_eq!(answer.status, 502, "{upstream}: {}", answer.text());
        assert!(answer.text().contains(&format!("`{upstream}`")), "{upstream}: {}", answer.text());
    }
}

/// Configuration of a gate in front of upstreams that one registry plays. Their answers are believed for no time.
fn configuration(registry: &Registry, upstreams: &[&str]) -> String {
    let mut text = "index-age = 0\ninspection-wait = 10\nmax-archive = 1048576\n".to_owned();
    for name in upstreams {
        text.push_str(&format!("[upstream.{name}]\nindex = \"sparse+{}/{name}/index/\"\n", registry.url()));
    }
    text
}

/// Somebody whom nobody may be sent to.
fn stranger() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn an_index_that_fails_or_lies_takes_nothing_away_and_adds_nothing() {
    let (stranger, elsewhere) = stranger();
    let lies: [(&str, Behaviour); 9] = [
        ("failing", Behaviour::Status(500)),
        ("forbidding", Behaviour::Status(403)),
        ("closing", Behaviour::Closes),
        ("hanging", Behaviour::Hangs),
        ("trickling", Behaviour::Trickles),
        ("endless", Behaviour::Endless),
        ("not-text", Behaviour::Gives(vec![0xff, 0xfe, 0x00, 0x80])),
        ("portal", Behaviour::Gives(b"<html>\n<body>Sign in</body>\n</html>\n".to_vec())),
        ("redirecting", Behaviour::Redirects(elsewhere)),
    ];
    let registry = Registry::start();
    let names: Vec<&str> = lies.iter().map(|(name, _)| *name).collect();
    let mut place = Place::new(&configuration(&registry, &names), &["--offline"]);
    let running = place.open();
    std::thread::scope(|scope| {
        for (seed, (name, behaviour)) in lies.iter().enumerate() {
            let (place, registry) = (&place, &registry);
            let mut random = Rng::with_seed(seed as u64);
            scope.spawn(move || lying_index(place, registry, name, behaviour, &mut random));
        }
    });
    assert!(stranger.accept().is_err(), "nobody was sent elsewhere");
    drop(running);
}

fn lying_index(place: &Place, registry: &Registry, name: &str, behaviour: &Behaviour, random: &mut Rng) {
    let (known, unknown) = (Sample::new(random, 1_000), Sample::new(random, 1_000));
    registry.has(name, &[&known]);
    registry.has(name, &[&unknown]);
    let before = place.proxy_index(name, &known);
    assert_eq!(before.status, 200, "{name}: {}", before.text());
    place.proxies_whole(name, &known);

    for version in [&known, &unknown] {
        registry.set(&format!("/{name}/index/{}", version.index_path()), behaviour.clone());
    }
    let now = place.proxy_index(name, &known);
    assert_eq!(
        (now.status, now.text()),
        (200, before.text()),
        "{name}: what is known goes on being given out"
    );
    let since = Instant::now();
    for _ in 0..20 {
        assert_eq!(place.proxy_index(name, &known).status, 200, "{name}");
    }
    // Each would take 8 seconds if all of them asked.
    assert!(
        since.elapsed() < Duration::from_secs(60),
        "{name}: an upstream that hangs is not asked by everybody"
    );
    place.proxies_whole(name, &known);
    place.blames(name, &place.proxy_index(name, &unknown));
    if !matches!(behaviour, Behaviour::Hangs | Behaviour::Trickles) {
        assert_ne!(place.proxy_download(name, &unknown).status, 200, "{name}");
    }

    registry.has(name, &[&known]);
    registry.has(name, &[&unknown]);
    place.until("the upstream is asked again", || place.proxy_index(name, &unknown).status == 200);
    place.proxies_whole(name, &unknown);
}

/// Questions at the same time about names that do not exist: more than an upstream that takes its time is asked while anybody waits.
const FLOOD: usize = 260;

#[test]
fn a_flood_of_unknown_names_makes_no_upstream_look_dead() {
    let mut random = Rng::with_seed(14);
    let registry = Registry::start();
    let mut place = Place::new(&configuration(&registry, &["mirror"]), &["--offline"]);
    let running = place.open();
    let known = Sample::new(&mut random, 1_000);
    registry.has("mirror", &[&known]);
    assert_eq!(place.proxy_index("mirror", &known).status, 200);
    registry.set("/mirror/index/un", Behaviour::Slowly(4, 404));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let place = &place;
        let asked = (0..FLOOD).map(|number| {
            scope.spawn(move || {
                let answer = place.get(&format!("/proxy/mirror/index/un/kn/unknown-{number}"));
                answer.is_clean_error(place);
                answer.status
            })
        });
        let asked: Vec<_> = asked.collect();
        place.until("the flood is there", || registry.requests.load(Ordering::Acquire) > 30);
        assert_eq!(place.proxy_index("mirror", &known).status, 200, "what is known is given out");
        asked.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|it| **it == status).count();
    println!("{} answers that there is none, {} that too many ask", count(404), count(503));
    assert!(count(404) > 32, "{statuses:?}");
    assert_eq!(count(404) + count(503), FLOOD, "nobody says that the upstream does not answer: {statuses:?}");
    assert!(!place.log().contains("does not answer"), "{}", place.log());
    drop(running);
}

#[test]
fn an_archive_that_is_not_what_was_promised_is_never_given_out() {
    let (stranger, elsewhere) = stranger();
    let mut random = Rng::with_seed(11);
    let registry = Registry::start();
    let mut place = Place::new(&configuration(&registry, &["mirror"]), &["--offline"]);
    let running = place.open();
    let honest = Sample::new(&mut random, 20_000);
    let other = Sample::new(&mut random, 20_000);
    let length = honest.bytes.len();
    let lies = [
        Behaviour::Gives(other.bytes.clone()),
        Behaviour::Gives(Vec::new()),
        Behaviour::Announces(length, honest.bytes[..length / 2].to_vec()),
        Behaviour::Announces(length - 100, honest.bytes.clone()),
        Behaviour::Gives([honest.bytes.as_slice(), b"more"].concat()),
        Behaviour::Gives(vec![0; 2 << 20]),
        Behaviour::Endless,
        Behaviour::Status(500),
        Behaviour::Status(404),
        Behaviour::Redirects(elsewhere),
        Behaviour::Closes,
    ];
    let versions: Vec<(Sample, Behaviour)> = lies
        .into_iter()
        .map(|lie| {
            let name: String = (0..10).map(|_| random.lowercase()).collect();
            // The same bytes under other names: only the checksum counts.
            (Sample { name, number: "1.0.0".to_owned(), bytes: honest.bytes.clone() }, lie)
        })
        .collect();
    for (version, lie) in &versions {
        registry.has("mirror", &[version]);
        registry.set(&archive("mirror", version), lie.clone());
        assert_eq!(place.proxy_index("mirror", version).status, 200);
        let answer = place.proxy_download("mirror", version);
        answer.is_clean_error(&place);
        assert!(matches!(answer.status, 403 | 502), "{lie:?}: {} {}", answer.status, answer.text());
        if answer.status == 403 {
            assert!(answer.text().contains("not those that were promised"), "{}", answer.text());
        } else {
            place.blames("mirror", &answer);
        }
    }
    assert!(stranger.accept().is_err(), "nobody was sent elsewhere");

    // It is honest again, for a crate whose archive is what it says.
    registry.has("mirror", &[&honest]);
    assert_eq!(place.proxy_index("mirror", &honest).status, 200);
    place.proxies_whole("mirror", &honest);
    let inspect = |version: &Sample| json!({ "target": { "registry": "mirror", "crate": version.name, "version": version.number }, "reason": "a test" });
    let promised = Sample::new(&mut random, 1_000);
    registry.has("mirror", &[&promised]);
    registry.set(&archive("mirror", &promised), Behaviour::Gives(other.bytes));
    assert_eq!(place.proxy_index("mirror", &promised).status, 200);
    assert_eq!(place.proxy_download("mirror", &promised).status, 403);
    registry.has("mirror", &[&promised]);
    assert_eq!(
        place.proxy_download("mirror", &promised).status,
        403,
        "what lied once is for a person to look at"
    );
    assert_eq!(place.administer("POST", "/admin/v1/inspect", &inspect(&promised)).status, 200);
    place.until("it is inspected again", || place.proxy_download("mirror", &promised).status == 200);
    place.proxies_whole("mirror", &promised);
    drop(running);
}

#[test]
fn a_line_that_changes_under_a_published_version_changes_nothing() {
    let mut random = Rng::with_seed(12);
    let registry = Registry::start();
    let mut place = Place::new(&configuration(&registry, &["mirror"]), &["--offline"]);
    let running = place.open();
    let first = Sample::new(&mut random, 1_000);
    // Another archive under the same name and number.
    let name = first.name.clone();
    let second = Sample::of(&mut random, &name, "1.0.0", 1_000);
    registry.has("mirror", &[&first]);
    let before = place.proxy_index("mirror", &first).text();
    // Seen, and not fetched yet.
    registry.has("mirror", &[&second]);
    assert_eq!(place.proxy_index("mirror", &first).text(), before);
    assert_eq!(place.metric("contradictions"), 1);
    let answer = place.proxy_download("mirror", &first);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(!answer.body.windows(second.bytes.len()).any(|it| it == second.bytes));
    // The version disappears from the upstream: it is what it was.
    registry.set(&format!("/mirror/index/{}", first.index_path()), Behaviour::Status(404));
    assert_eq!(place.proxy_index("mirror", &first).text(), before);
    // A second version beside a line that cannot be read is taken in.
    let next = Sample::of(&mut random, &name, "1.0.1", 1_000);
    let lines = format!("{{\"name\": 1}}\n{}\n", line(&next, &next.checksum()));
    registry.set(&format!("/mirror/index/{}", first.index_path()), Behaviour::Gives(lines.into_bytes()));
    registry.set(&archive("mirror", &next), Behaviour::Gives(next.bytes.clone()));
    assert!(place.proxy_index("mirror", &first).text().contains("1.0.1"));
    place.proxies_whole("mirror", &next);
    drop(running);
}

#[test]
fn an_upstream_that_is_down_or_hangs_stops_nothing_else() {
    let mut random = Rng::with_seed(13);
    let mut registry = Registry::start();
    let slow = Registry::start();
    let both = format!(
        "{}[upstream.slow]\nindex = \"sparse+{}/slow/index/\"\n",
        configuration(&registry, &["mirror"]),
        slow.url()
    );
    let mut place = Place::new(&both, &["--offline"]);
    let running = place.open();
    let (known, unseen) = (Sample::new(&mut random, 1_000), Sample::new(&mut random, 1_000));
    registry.has("mirror", &[&known]);
    registry.has("mirror", &[&unseen]);
    assert_eq!(place.proxy_index("mirror", &known).status, 200);
    place.proxies_whole("mirror", &known);

    // More archives than are brought at once hang, and are waited for.
    let stuck: Vec<Sample> = (0..12).map(|_| Sample::new(&mut random, 1_000)).collect();
    for version in &stuck {
        slow.has("slow", &[version]);
        slow.set(&archive("slow", version), Behaviour::Hangs);
        assert_eq!(place.proxy_index("slow", version).status, 200);
    }
    std::thread::scope(|scope| {
        for version in &stuck {
            let place = &place;
            scope.spawn(move || assert_ne!(place.proxy_download("slow", version).status, 200));
        }
        // Another upstream's version is inspected meanwhile.
        place.until("all hang", || slow.requests.load(Ordering::Acquire) >= 12 + 1 + 8);
        let fresh = Sample::new(&mut random, 1_000);
        registry.has("mirror", &[&fresh]);
        assert_eq!(place.proxy_index("mirror", &fresh).status, 200);
        place.proxies_whole("mirror", &fresh);
    });

    registry.go_down();
    assert_eq!(place.proxy_index("mirror", &known).status, 200);
    place.proxies_whole("mirror", &known);
    place.blames("mirror", &place.proxy_index("mirror", &unseen));
    // Whether it has a name cannot be known, so nobody may publish it: it could be the upstream's.
    let own = Sample::new(&mut random, 1_000);
    place.blames("mirror", &place.publish(&own).unwrap());
    registry.go_up();
    place.until("the upstream is asked again", || place.proxy_index("mirror", &unseen).status == 200);
    place.proxies_whole("mirror", &unseen);
    place.until("names can be compared", || place.publish(&own).is_ok_and(|it| it.status == 200));
    place.until("it is inspected", || place.line(&own).is_some());
    place.has_whole(&own);
    let status = place.administer("GET", "/admin/v1/status", &Value::Null).json();
    assert_eq!(status["versions"]["failed"].as_u64().unwrap_or(0), 0, "{status:#}");
    drop(running);
}
