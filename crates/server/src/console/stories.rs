//! Pages of the console over a gate with hostile archives and names: that they answer, and what they do not let through.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use cratekeeper_archive::CrateBuilder;
use cratekeeper_engine::{Engine, WorkerLimits, WorkerPool};
use cratekeeper_model::{
    Case, Checksum, Confidence, Evidence, Finding, Known, Level, PublishMethod, Severity,
};
use cratekeeper_policy::Policy;
use cratekeeper_registry::{CargoConfig, CargoEnvironment, FinderOptions, Network, PackageFinder};
use cratekeeper_store::{
    Act, Enforcement, Inspection, NewJob, NewUser, Publication, Published, Publisher, Role, SignInMethod,
    State, User, VersionId,
};
use tower_service::Service as _;

use crate::acts::Target;
use crate::configuration::{Configuration, UpstreamConfiguration};
use crate::gate::{Clock, Gate, Setup};

const NOW: i64 = 1_790_000_000;

/// What a publisher writes wherever they can.
const HOSTILE: &str = "</pre><script>alert(1)</script>\u{202e}\"'";

/// A gate with one account, and what is published to it.
pub(crate) struct Story {
    pub(crate) gate: Arc<Gate>,
    cookie: String,
    user: User,
    _directory: tempfile::TempDir,
}

impl Story {
    pub(crate) async fn open() -> Story {
        Story::with(Configuration::default()).await
    }

    pub(crate) async fn with(configuration: Configuration) -> Story {
        let directory = tempfile::tempdir().unwrap();
        let environment = CargoEnvironment::new(directory.path().join("cargo"), []);
        let cargo = CargoConfig::load(directory.path(), &environment).unwrap();
        let options = FinderOptions::new(directory.path().join("cache"), Network::Offline);
        let limits = WorkerLimits { deadline: std::time::Duration::from_secs(60), memory: 3 << 30 };
        let engine = Engine::new(cratekeeper_engine::Setup {
            jobs: 1,
            finder: PackageFinder::new(cargo.clone(), options).unwrap(),
            pool: WorkerPool::of_this_program(limits).unwrap(),
            cache: None,
            advisories: Known::Unknown("none".to_owned()),
            policy: Policy::built_in(),
        });
        let clock = Clock::Played(Arc::new(AtomicI64::new(NOW)));
        let home = directory.path().join("gate");
        let setup = Setup { configuration, directory: home, cargo, engine, clock };
        let gate = Gate::open(setup).await.unwrap();
        let mut transaction = gate.store.act(Act::new("(test)", "user.create", "alice", NOW)).await.unwrap();
        let new = NewUser {
            login: "alice".to_owned(),
            roles: vec![Role::Admin],
            is_founder: true,
            ..NewUser::default()
        };
        let user = transaction.create_user(&new).await.unwrap();
        transaction.commit().await.unwrap();
        let text = gate.begin_session(&user, SignInMethod::SetUp, None, None).await.unwrap();
        let cookie = crate::console::cookie(&gate, &text).to_str().unwrap().to_owned();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Story { gate, cookie, user, _directory: directory }
    }

    pub(crate) async fn publish(
        &self,
        archive: &CrateBuilder,
        name: &str,
        version: &str,
        requires: &str,
    ) -> VersionId {
        let bytes = archive.build();
        let checksum = Checksum::of(&bytes);
        let size = bytes.len() as u64;
        self.gate.blobs.put(Bytes::from(bytes)).await.unwrap();
        let line =
            serde_json::json!({ "name": name, "vers": version, "deps": [{ "name": requires, "req": "1" }] });
        let publication = Publication {
            registry: self.gate.hosted.id,
            name: name.to_owned(),
            version: version.parse().unwrap(),
            checksum,
            size,
            index_line: line.to_string(),
            description: Some(HOSTILE.to_owned()),
            listed_while_pending: false,
            claimed: None,
            by: Publisher {
                login: "alice".to_owned(),
                user: self.user.id,
                token: None,
                token_name: None,
                method: Some(PublishMethod::Token),
                client: Some(HOSTILE.to_owned()),
                address: None,
            },
            job: NewJob::new("inspect", serde_json::json!({})),
            at: NOW,
        };
        match self.gate.store.publish(&publication).await.unwrap() {
            Published::New { version, .. } => version,
            Published::Already { .. } => panic!("it was published before"),
        }
    }

    async fn inspect(&self, version: VersionId, findings: Vec<Finding>) {
        let case = Case { score: 90, level: Level::of_score(90), findings, ..Case::default() };
        let inspection = Inspection {
            state: State::Held,
            enforcement: Enforcement::Deny,
            reason: HOSTILE.to_owned(),
            case: Some(case),
            answer: None,
            circumstances: None,
            analyzer: "0".to_owned(),
            size: None,
            after: None,
            at: NOW,
        };
        self.gate.store.record_inspection(version, &inspection, None).await.unwrap();
    }

    /// The page at a path; it has to be one, without anything that a publisher wrote as HTML, and without what is not seen.
    async fn page(&self, path: &str) -> String {
        let (status, text) = self.ask(path, &self.cookie).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(!text.contains("<script>alert") && !text.contains('\u{202e}'), "{path}: {text}");
        text
    }

    async fn ask(&self, path: &str, cookie: &str) -> (u16, String) {
        let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
        let response = crate::service::router(self.gate.clone()).call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

fn finding(rule: &str, message: &str, file: &str, line: u32) -> Finding {
    Finding {
        rule: rule.to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: message.to_owned(),
        evidence: vec![Evidence::line(file, line, HOSTILE)],
        help: Some(HOSTILE.to_owned()),
        advisory: None,
        reachability: None,
        techniques: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_about_a_hostile_version_show_it_as_text() {
    let story = Story::open().await;
    let archive = |version: &str, build: &str| {
        CrateBuilder::new("lure", version)
            .file("src/lib.rs", format!("// {HOSTILE}\npub fn f() {{}}\n"))
            .file("build.rs", build)
            .file("image.svg", "<svg onload=\"alert(1)\">")
            .file("data.bin", [0, 159, 146, 150])
            .symlink(HOSTILE, "/etc/passwd")
    };
    let before = story.publish(&archive("1.0.0", "fn main() {}\n"), "lure", "1.0.0", "nothing").await;
    let build = format!("fn main() {{\n    // {HOSTILE}\n}}\n");
    let id = story.publish(&archive("1.1.0", &build), "lure", "1.1.0", "nothing").await;
    story.publish(&CrateBuilder::new("user", "1.0.0"), "user", "1.0.0", "lure").await;
    let findings = vec![
        finding("build-script-downloads", HOSTILE, "build.rs", 2),
        finding("copied-crate", "`user` 1.0.0 has 99 % of the source", "src/lib.rs", 1),
    ];
    story.inspect(id, findings.clone()).await;
    story.inspect(before, findings).await;

    let page = story.page(&format!("/console/version/{id}")).await;
    assert!(page.contains("file=build.rs") && page.contains("Entries of the archive that were refused"));
    assert!(page.contains("Quarantine the crate") && page.contains("/console/publisher/hosted/alice"));
    let page = story.page(&format!("/console/version/{id}/file?file=build.rs&line=2")).await;
    assert!(
        page.contains("id=\"L2\" class=\"marked\"") && page.contains("U+202E") && page.contains("t-keyword")
    );
    let page = story.page(&format!("/console/version/{id}/file?file=image.svg")).await;
    assert!(!page.contains("<svg onload"), "{page}");
    assert!(story.page(&format!("/console/version/{id}/file?file=data.bin")).await.contains("00 9f 92 96"));
    assert_eq!(story.ask(&format!("/console/version/{id}/file?file=../x"), &story.cookie).await.0, 404);

    let page = story.page(&format!("/console/version/{id}/difference")).await;
    assert!(page.contains("lure 1.0.0") && page.contains("0 added, 0 removed, 2 changed"), "{page}");
    let other = story.page(&format!("/console/version/{id}/difference?to=3")).await;
    assert!(other.contains("user 1.0.0") && other.contains("What it is like"), "{other}");

    let case = story.gate.store.case_of(id).await.unwrap().unwrap();
    let page = story.page(&format!("/console/case/{}", case.id)).await;
    assert!(
        page.contains("1 crate here depends on it directly") && page.contains("/console/crate/hosted/user"),
        "{page}"
    );
    let page = story.page(&format!("/console/version/{id}/callers")).await;
    assert!(page.contains("user 1.0.0") && page.contains("not known"), "{page}");
    let page = story.page("/console/crate/hosted/LURE").await;
    assert!(page.contains("1.1.0") && page.contains("Release the crate"));
    assert!(story.page("/console/publisher/hosted/alice").await.contains("Revoke tokens and sessions"));
    assert!(story.page("/console/queue").await.contains("/console/publisher/hosted/alice"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_is_an_account_of_one_registry() {
    let index = tempfile::tempdir().unwrap();
    std::fs::create_dir(index.path().join("index")).unwrap();
    let upstream = UpstreamConfiguration {
        index: index.path().display().to_string(),
        ..UpstreamConfiguration::default()
    };
    let upstream = std::collections::BTreeMap::from([("mirror".to_owned(), upstream)]);
    let story = Story::with(Configuration { upstream, ..Configuration::default() }).await;
    story.publish(&CrateBuilder::new("own-thing", "1.0.0"), "own-thing", "1.0.0", "nothing").await;
    assert_eq!(story.ask("/console/publisher/alice", &story.cookie).await.0, 303, "there is one");
    assert_eq!(story.ask("/console/publisher/nobody", &story.cookie).await.0, 404);
    assert_eq!(story.ask("/console/publisher/mirror/alice", &story.cookie).await.0, 404, "nobody there is");

    let own = story.page("/console/publisher/hosted/alice").await;
    assert!(own.contains("own-thing") && own.contains("Freeze"), "{own}");
    let found = story.page("/console/search?q=ALICE").await;
    assert!(
        found.contains("/console/publisher/hosted/alice") && found.contains("publishes to hosted"),
        "{found}"
    );
    for registry in ["hosted", "mirror"] {
        let target = Target {
            registry: registry.to_owned(),
            krate: None,
            version: None,
            publisher: Some("alice".to_owned()),
        };
        let (_, shown) = story.gate.subject(&target).await.unwrap();
        assert_eq!(shown, format!("publisher alice of {registry}"), "who decides sees about whom");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_advisory_says_whose_crate_it_is_about() {
    let story = Story::open().await;
    let id = story.publish(&CrateBuilder::new("lure", "1.0.0"), "lure", "1.0.0", "nothing").await;
    story.inspect(id, Vec::new()).await;
    let page = story.page("/console/case/1/advisory").await;
    assert!(page.contains("lure is of hosted") && page.contains("source = &#34;sparse+http"), "{page}");
    let osv: serde_json::Value =
        serde_json::from_str(&story.page("/console/case/1/advisory.json").await).unwrap();
    let affected = &osv["affected"][0];
    assert!(affected["package"].is_null(), "{osv:#}");
    let purl = affected["database_specific"]["package"]["purl"].as_str().unwrap();
    assert!(purl.starts_with("pkg:cargo/lure?repository_url=http"), "{osv:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_cannot_be_read_lists_nothing_and_says_so() {
    let story = Story::open().await;
    let archive = CrateBuilder::new("lure", "1.0.0");
    let id = story.publish(&archive, "lure", "1.0.0", "nothing").await;
    story.inspect(id, Vec::new()).await;
    for (path, listed) in [("/console/audit-log", "user.create"), ("/console/queue", "/console/case/1")] {
        assert!(story.page(path).await.contains(listed), "{path}");
    }
    assert!(
        story.page("/console/audit-log?from=2026-09-21&to=2026-09-21").await.contains("user.create</td>")
    );
    for (path, field, listed) in [
        ("/console/audit-log?from=21.9.2026", "from", "user.create</td>"),
        ("/console/audit-log?to=soon&action=user.", "to", "user.create</td>"),
        ("/console/audit-log?before=x", "before", "user.create</td>"),
        ("/console/queue?score=high", "score", "/console/case/1\""),
        ("/console/queue?registry=elsewhere", "registry", "/console/case/1\""),
        ("/console/queue?standing=fine", "standing", "/console/case/1\""),
        ("/console/queue?after=1", "after", "/console/case/1\""),
        ("/console/people?role=owner", "role", "/console/people/alice\""),
    ] {
        let (status, page) = story.ask(path, &story.cookie).await;
        assert_eq!(status, 400, "{path}: {page}");
        assert!(
            page.contains(&format!("id=\"{field}-unread\"")) && page.contains("cannot be read"),
            "{path}: {page}"
        );
        assert!(!page.contains(listed) && page.contains("Nothing is listed"), "{path}: {page}");
        let is_field = !["before", "after"].contains(&field);
        assert_eq!(
            page.contains(&format!("aria-describedby=\"{field}-unread\"")),
            is_field,
            "{path}: {page}"
        );
    }
    assert_eq!(story.ask("/console/audit-log/export?from=soon", &story.cookie).await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_says_so_and_strangers_see_nothing() {
    let story = Story::open().await;
    let id = story.publish(&CrateBuilder::new("other", "9.9.9"), "lure", "1.0.0", "nothing").await;
    assert!(story.page(&format!("/console/version/{id}")).await.contains("Its archive is refused"));
    assert!(
        story.page(&format!("/console/version/{id}/difference")).await.contains("There is no version before")
    );
    for path in [
        format!("/console/version/{id}"),
        format!("/console/version/{id}/file?file=Cargo.toml"),
        format!("/console/version/{id}/difference"),
        "/console/crate/hosted/lure".to_owned(),
        "/console/publisher/hosted/alice".to_owned(),
    ] {
        assert_eq!(story.ask(&path, "").await.0, 303, "{path}");
    }
    for path in [
        "/console/version/999",
        "/console/version/999/file?file=a",
        "/console/version/1/difference?to=999",
        "/console/crate/hosted/nothing",
        "/console/crate/nowhere/lure",
        "/console/publisher/hosted/nobody",
        "/console/publisher/hosted/%00%F0%9F%A6%80",
    ] {
        assert_eq!(story.ask(path, &story.cookie).await.0, 404, "{path}");
    }
}
