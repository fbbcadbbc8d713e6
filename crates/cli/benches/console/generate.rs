//! A registry as it is after some years: made by a seed, so that everybody measures the same one.
//!
//! Rows are written past the store, a thousand at a time: it would take a day to publish and decide all of this. Whether they are what the
//! store itself would have written is asked afterwards: it reads them for each page, and verifies the chain of the log.

use cratekeeper_engine::Rule;
use cratekeeper_model::{
    Case, Checksum, ChecksumHasher, Confidence, Contribution, Evidence, Finding, Level, PolicyAnswer,
    Severity, Verdict,
};
use fastrand::Rng;
use sea_orm::{ConnectionTrait, Database, DatabaseTransaction, TransactionTrait};

pub(crate) const CRATES: u64 = 200_000;
pub(crate) const CASES: u64 = 10_000;
pub(crate) const ENTRIES: i64 = 1_000_000;
const PUBLISHERS: u64 = 20_000;
const FETCHES: u64 = 500_000;
const REPORTS: u64 = 3_000;
const REQUESTS: u64 = 500;
const PEOPLE: u64 = 200;

const SEED: u64 = 20_261_122;
const DAY: i64 = 86_400;
const YEARS: i64 = 4 * 365 * DAY;

/// Rows in one statement.
const AT_ONCE: usize = 1_000;

/// What was made, for whoever asks about it.
pub(crate) struct Made {
    /// Numbers of versions that have a case, by the case's number.
    pub(crate) suspects: Vec<(u64, u64)>,
    pub(crate) versions: u64,
}

/// Writes into tables.
struct Writer<'a> {
    transaction: &'a DatabaseTransaction,
    table: &'static str,
    columns: &'static str,
    rows: Vec<String>,
}

impl<'a> Writer<'a> {
    fn new(transaction: &'a DatabaseTransaction, table: &'static str, columns: &'static str) -> Writer<'a> {
        Writer { transaction, table, columns, rows: Vec::new() }
    }

    async fn row(&mut self, row: String) {
        self.rows.push(row);
        if self.rows.len() == AT_ONCE {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let statement =
            format!("INSERT INTO {} ({}) VALUES ({})", self.table, self.columns, self.rows.join("),("));
        self.transaction.execute_unprepared(&statement).await.unwrap();
        self.rows.clear();
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const SYLLABLES: [&str; 24] = [
    "ser", "tok", "hyp", "rand", "log", "net", "crypt", "json", "wasm", "async", "proc", "macro", "bit",
    "vec", "hash", "time", "path", "term", "http", "sql", "zip", "num", "str", "cell",
];

/// The name of a crate; no two are the same.
pub(crate) fn name(number: u64) -> String {
    let one = SYLLABLES[(number % 24) as usize];
    let other = SYLLABLES[(number / 24 % 24) as usize];
    format!("{one}-{other}-{}", number / 576)
}

/// The login of a publisher: as unlike the others as logins are. (Twenty thousand that differ in a number would be a crowd of look-alikes.)
pub(crate) fn publisher(number: u64) -> String {
    let mut random = Rng::with_seed(SEED + number);
    let letters: String = (0..random.usize(5..11)).map(|_| random.lowercase()).collect();
    format!("{letters}{}", number % 10)
}

/// A number below `end`, small ones far more often: popular crates, busy publishers.
fn popular(random: &mut Rng, end: u64) -> u64 {
    ((end as f64).powf(random.f64()) as u64 - 1).min(end - 1)
}

/// Fills an empty database whose tables are there.
pub(crate) async fn fill(url: &str, registry: i64, now: i64) -> Made {
    let mut random = Rng::with_seed(SEED);
    let connection = Database::connect(url).await.unwrap();
    let transaction = connection.begin().await.unwrap();
    let made = crates(&transaction, &mut random, registry, now).await;
    cases(&transaction, &mut random, &made, now).await;
    around(&transaction, &mut random, &made, now).await;
    entries(&transaction, &mut random, now).await;
    if url.starts_with("postgres") {
        for table in [
            "crates",
            "versions",
            "inspections",
            "cases",
            "comments",
            "decisions",
            "reports",
            "events",
            "fetches",
            "requests",
            "users",
        ] {
            let next = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            );
            transaction.execute_unprepared(&next).await.unwrap();
        }
    }
    transaction.commit().await.unwrap();
    // A database that runs for years does it by itself.
    connection.execute_unprepared("ANALYZE").await.unwrap();
    connection.close().await.unwrap();
    made
}

async fn crates(transaction: &DatabaseTransaction, random: &mut Rng, registry: i64, now: i64) -> Made {
    let mut crates =
        Writer::new(transaction, "crates", "id, registry_id, name, canonical, first_seen, newest_id");
    let mut versions = Writer::new(
        transaction,
        "versions",
        "id, crate_id, number, identity, checksum, size, index_line, first_seen, published_at, yanked, state, enforcement, \
         listed_while_pending, reason, level, score, verdict, inspected_at, standing, standing_reason, listed, rank, description",
    );
    let mut provenance = Writer::new(
        transaction,
        "provenance",
        "version_id, publisher, publisher_folded, token_name, method, client, address, owners, published_at",
    );
    let mut events =
        Writer::new(transaction, "events", "id, crate_id, version_id, kind, actor, actor_folded, at");
    let mut owners = Writer::new(transaction, "owners", "crate_id, folded, login, added_at");
    let mut dependencies =
        Writer::new(transaction, "dependencies", "crate_id, canonical, kind, requirement, elsewhere, number");
    let mut inspections = Writer::new(
        transaction,
        "inspections",
        "id, version_id, at, state, enforcement, reason, level, score, verdict, case_json, answer_json, analyzer",
    );
    // Rows refer to rows of other tables: these are written first.
    for number in 0..CRATES {
        let (id, name) = (number + 1, quoted(&name(number)));
        let canonical = name.replace('-', "_");
        crates.row(format!("{id}, {registry}, {name}, {canonical}, {}, 1", now - YEARS)).await;
    }
    crates.flush().await;
    let quiet = quoted(&serde_json::to_string(&Case::default()).unwrap());
    let answer = quoted(&serde_json::to_string(&PolicyAnswer::default()).unwrap());
    let (mut id, mut suspects) = (0, Vec::new());
    let every = CRATES / CASES;
    for number in 0..CRATES {
        let count = if random.u64(..100) == 0 { random.u64(10..40) } else { random.u64(1..3) };
        let by = quoted(&publisher(popular(random, PUBLISHERS)));
        let mut at = now - random.i64(DAY..YEARS);
        owners.row(format!("{}, {by}, {by}, {at}", number + 1)).await;
        let mut needs: Vec<u64> = (0..random.usize(0..6)).map(|_| popular(random, CRATES)).collect();
        needs.sort_unstable();
        needs.dedup();
        for minor in 0..count {
            id += 1;
            at = (at + random.i64(DAY / 24..60 * DAY)).min(now - 60);
            let checksum = Checksum::of(format!("{SEED} {id}").as_bytes());
            let deps: Vec<String> = needs
                .iter()
                .map(|it| {
                    format!(
                        r#"{{"name":"{}","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}}"#,
                        name(*it)
                    )
                })
                .collect();
            let line = quoted(&format!(
                r#"{{"name":"{}","vers":"1.{minor}.0","deps":[{}],"cksum":"{checksum}","features":{{}},"yanked":false}}"#,
                name(number),
                deps.join(",")
            ));
            let is_newest = minor + 1 == count;
            let is_suspect = is_newest && number % every == 0;
            let score = if is_suspect { random.i64(30..101) } else { 0 };
            let (level, verdict, state) = match score {
                0 => ("none", "allow", "released"),
                ..60 => ("review", "warn", "released"),
                60..85 => ("alert", "quarantine", "held"),
                _ => ("block", "block", "blocked"),
            };
            if is_suspect {
                suspects.push((suspects.len() as u64 + 1, id));
            }
            let number_text = format!("'1.{minor}.0'");
            versions
                .row(format!(
                    "{id}, {}, {number_text}, {number_text}, '{checksum}', {}, {line}, {at}, {at}, FALSE, '{state}', 'deny', TRUE, \
                     'what the policy says', '{level}', {score}, '{verdict}', {at}, '{state}', 'what the policy says', TRUE, {score}, \
                     'a crate that does what its name says, and some more'",
                    number + 1,
                    random.u64(2_000..400_000),
                ))
                .await;
            provenance
                .row(format!(
                    "{id}, {by}, {by}, 'laptop', 'token', 'cargo 1.95.0', '192.0.2.{}', '[\"{}\"]', {at}",
                    random.u8(..),
                    by.trim_matches('\''),
                ))
                .await;
            events.row(format!("{id}, {}, {id}, 'publish', {by}, {by}, {at}", number + 1)).await;
            if !is_suspect {
                inspections
                    .row(format!(
                        "{id}, {id}, {at}, '{state}', 'deny', 'no clause applies', '{level}', {score}, '{verdict}', {quiet}, {answer}, 'bench'"
                    ))
                    .await;
            }
            if is_newest {
                for it in &needs {
                    let canonical = quoted(&name(*it).replace('-', "_"));
                    dependencies
                        .row(format!("{}, {canonical}, 'normal', '^1', FALSE, {number_text}", number + 1))
                        .await;
                }
            }
        }
        // What refers to versions waits for them.
        if versions.rows.len() > AT_ONCE - 50 {
            versions.flush().await;
            provenance.flush().await;
            events.flush().await;
            inspections.flush().await;
        }
    }
    for writer in
        [&mut versions, &mut provenance, &mut events, &mut inspections, &mut owners, &mut dependencies]
    {
        writer.flush().await;
    }
    Made { suspects, versions: id }
}

/// A case as rules make them: some findings, with excerpts.
fn case(random: &mut Rng, rules: &[&Rule], score: u8) -> Case {
    let findings = rules.iter().map(|rule| Finding {
        rule: rule.id.to_owned(),
        severity: *rule.severities.first().unwrap_or(&Severity::Medium),
        confidence: Confidence::Medium,
        message: format!(
            "{} This is what was seen, and it is said in a sentence of the usual length.",
            rule.title
        ),
        evidence: (0..random.usize(1..6))
            .map(|it| {
                Evidence::line(
                    format!("src/module_{it}.rs"),
                    random.u32(1..900),
                    "let hidden = decode(CONSTANT); // and some more text as it stands there",
                )
            })
            .collect(),
        help: Some("look at the lines, and at what the version before did".to_owned()),
        advisory: None,
        reachability: None,
        techniques: rule.techniques.to_vec(),
    });
    Case {
        score,
        level: Level::of_score(score),
        contributions: rules
            .iter()
            .map(|it| Contribution {
                rule: it.id.to_owned(),
                points: score / 8,
                reason: "medium severity".to_owned(),
            })
            .collect(),
        findings: findings.collect(),
        ..Case::default()
    }
}

async fn cases(transaction: &DatabaseTransaction, random: &mut Rng, made: &Made, now: i64) {
    let mut inspections = Writer::new(
        transaction,
        "inspections",
        "id, version_id, at, state, enforcement, reason, clause, level, score, verdict, case_json, answer_json, analyzer",
    );
    let mut cases = Writer::new(
        transaction,
        "cases",
        "id, version_id, opened_at, opened_by, state, rank, publisher, publisher_folded, assignee, assigned_at, outcome, closed_at, closed_by, closing_reason",
    );
    let mut rules_of = Writer::new(transaction, "case_rules", "case_id, rule");
    let mut comments = Writer::new(transaction, "comments", "case_id, author, text, at");
    let mut decisions = Writer::new(
        transaction,
        "decisions",
        "scope, registry_id, crate_id, version_id, action, enforcement, reason, actor, at",
    );
    let rules: Vec<&Rule> = cratekeeper_engine::rules().iter().collect();
    for (id, version) in &made.suspects {
        let some: Vec<&Rule> = {
            let mut some: Vec<usize> =
                (0..random.usize(2..7)).map(|_| popular(random, rules.len() as u64) as usize).collect();
            some.sort_unstable();
            some.dedup();
            some.into_iter().map(|it| rules[it]).collect()
        };
        let score = random.u8(30..101);
        let case = case(random, &some, score);
        let at = now - random.i64(600..YEARS);
        let answer = PolicyAnswer {
            verdict: Verdict::Quarantine,
            clause: Some("alert".to_owned()),
            line: Some(14),
            reason: "a person should look at the findings".to_owned(),
            ..PolicyAnswer::default()
        };
        inspections
            .row(format!(
                "{version}, {version}, {at}, 'held', 'deny', 'a person should look', 'alert', '{}', {score}, 'quarantine', {}, {}, 'bench'",
                case.level,
                quoted(&serde_json::to_string(&case).unwrap()),
                quoted(&serde_json::to_string(&answer).unwrap()),
            ))
            .await;
        // Six in ten are open; one in five of these is of somebody with many crates.
        let is_open = random.u8(..10) < 6;
        let by = if random.u8(..5) == 0 {
            publisher(random.u64(..100))
        } else {
            publisher(popular(random, PUBLISHERS))
        };
        let by = quoted(&by);
        let closed = at + random.i64(600..5 * DAY);
        let (state, outcome, end) = if is_open {
            ("open", "NULL".to_owned(), "NULL, NULL, NULL".to_owned())
        } else {
            let outcome = if random.bool() { "'malicious'" } else { "'harmless'" };
            (
                "closed",
                outcome.to_owned(),
                format!("{closed}, 'person{}', 'it was looked at'", random.u64(..PEOPLE)),
            )
        };
        let who = if random.u8(..4) == 0 {
            format!("'person{}', {at}", random.u64(..PEOPLE))
        } else {
            "NULL, NULL".to_owned()
        };
        cases.row(format!("{id}, {version}, {at}, '(inspection)', '{state}', {score}, {by}, {by}, {who}, {outcome}, {end}")).await;
    }
    inspections.flush().await;
    cases.flush().await;
    let mut random = Rng::with_seed(SEED + 1);
    for (id, version) in &made.suspects {
        for index in 0..random.u64(2..6) {
            let rule =
                rules[(popular(&mut random, rules.len() as u64 / 6) * 6 + index) as usize % rules.len()].id;
            rules_of.row(format!("{id}, '{rule}'")).await;
        }
        for _ in 0..random.usize(0..5) {
            let text = "I looked at the difference to the version before, and at what its build script does; nothing there that others of the kind do not do, too.";
            comments
                .row(format!(
                    "{id}, 'person{}', '{text}', {}",
                    random.u64(..PEOPLE),
                    now - random.i64(60..DAY)
                ))
                .await;
        }
        if random.u8(..10) < 4 {
            let action = if random.bool() { "block" } else { "release" };
            decisions
                .row(format!(
                    "'version', 1, NULL, {version}, '{action}', 'deny', 'it was looked at', 'person{}', {}",
                    random.u64(..PEOPLE),
                    now - random.i64(600..YEARS)
                ))
                .await;
        }
    }
    for writer in [&mut rules_of, &mut comments, &mut decisions] {
        writer.flush().await;
    }
}

/// Fetches, reports, people, and what waits for a second person.
async fn around(transaction: &DatabaseTransaction, random: &mut Rng, made: &Made, now: i64) {
    let mut fetches = Writer::new(transaction, "fetches", "version_id, login, address, client, at");
    for _ in 0..FETCHES {
        let version = popular(random, made.versions) + 1;
        fetches
            .row(format!(
                "{version}, 'person{}', '198.51.100.{}', 'cargo 1.95.0', {}",
                random.u64(..PEOPLE),
                random.u8(..),
                now - random.i64(60..90 * DAY)
            ))
            .await;
    }
    fetches.flush().await;
    let mut reports = Writer::new(
        transaction,
        "reports",
        "crate_id, version_id, kind, text, reporter, reporter_folded, at, state",
    );
    for _ in 0..REPORTS {
        let (_, version) = made.suspects[random.usize(..made.suspects.len())];
        let kind = ["malware", "impersonation", "spam", "other"][random.usize(..4)];
        let state = ["open", "confirmed", "rejected"][random.usize(..3)];
        let who = random.u64(..PEOPLE);
        reports
            .row(format!(
                "(SELECT crate_id FROM versions WHERE id = {version}), {version}, '{kind}', 'it does what it should not', 'person{who}', 'person{who}', {}, '{state}'",
                now - random.i64(60..YEARS)
            ))
            .await;
    }
    reports.flush().await;
    let mut people = Writer::new(transaction, "users", "login, folded, name, roles, created_at, roles_since");
    for number in 0..PEOPLE {
        people
            .row(format!(
                "'person{number}', 'person{number}', 'Person {number}', 'triager viewer', {}, {}",
                now - YEARS,
                now - YEARS
            ))
            .await;
    }
    people.flush().await;
    let mut requests = Writer::new(
        transaction,
        "requests",
        "action, object, change_json, preview_json, digest, reason, requester, requester_folded, at, expires_at, state",
    );
    for number in 0..REQUESTS {
        let login = format!("person{}", random.u64(..PEOPLE));
        let state = if number % 10 == 0 { "waiting" } else { "done" };
        let change = r#"{"act":"set-roles","login":"person1","roles":["viewer"]}"#;
        let preview = r#"{"action":"user.roles","object":"person1","lines":[{"what":"roles of person1","before":"viewer","after":"viewer, triager"}],"count":1,"second":{"second":"agrees","because":"it gives roles"},"digest":"0"}"#;
        requests
            .row(format!(
                "'user.roles', 'person1', '{change}', '{preview}', '0', 'somebody has to', '{login}', '{login}', {}, {}, '{state}'",
                now - DAY,
                now + 3 * DAY
            ))
            .await;
    }
    requests.flush().await;
}

/// The log, with its chain (`cratekeeper_store`'s `audit` says how), behind what the gate wrote itself.
async fn entries(transaction: &DatabaseTransaction, random: &mut Rng, now: i64) {
    use sea_orm::{FromQueryResult, Statement};
    #[derive(FromQueryResult)]
    struct Last {
        sequence: i64,
        hash: String,
    }
    let statement = Statement::from_string(
        transaction.get_database_backend(),
        "SELECT sequence, hash FROM audit_log ORDER BY sequence DESC LIMIT 1",
    );
    let last = Last::find_by_statement(statement).one(transaction).await.unwrap();
    let (begin, mut previous) = last.map_or((0, "0".repeat(64).parse::<Checksum>().unwrap()), |it| {
        (it.sequence, it.hash.parse().unwrap())
    });
    const ACTIONS: [&str; 16] = [
        "version.publish",
        "version.publish",
        "version.publish",
        "version.publish",
        "version.publish",
        "version.publish",
        "version.publish",
        "version.yank",
        "owner.invite",
        "token.create",
        "session.begin",
        "session.begin",
        "decision.hold",
        "decision.release",
        "decision.block",
        "case.comment",
    ];
    let mut log =
        Writer::new(transaction, "audit_log", "sequence, at, actor, action, object, detail, previous, hash");
    for number in 1..=ENTRIES {
        let sequence = begin + number;
        let at = now - YEARS + number * (YEARS / ENTRIES);
        let actor = format!("person{}", popular(random, PEOPLE));
        let action = ACTIONS[random.usize(..ACTIONS.len())];
        let object = format!("{}@1.0.0", name(random.u64(..CRATES)));
        let detail = r#"{"reason":"as usual"}"#;
        let mut hasher = ChecksumHasher::default();
        hasher.update(b"cratekeeper audit entry v1\0");
        hasher.update(&sequence.to_be_bytes());
        hasher.update(&at.to_be_bytes());
        for field in [actor.as_str(), action, &object, detail] {
            hasher.update(&(field.len() as u64).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        hasher.update(previous.as_bytes());
        let hash = hasher.finish();
        log.row(format!(
            "{sequence}, {at}, '{actor}', '{action}', '{object}', '{detail}', '{previous}', '{hash}'"
        ))
        .await;
        previous = hash;
    }
    log.flush().await;
}
