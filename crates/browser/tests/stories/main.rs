//! Whole stories on a running gate, in headless Chromium: it is driven by `chromedriver`, as people drive it, by links, fields and buttons.
//!
//! Screenshots of every page, on a desktop and on a phone, in light and dark, are kept in the directory that `CRATEKEEPER_SCREENSHOTS` names. With
//! `CRATEKEEPER_AXE`, a file, every page is looked at by axe-core; without, that is said and not passed over. It has a `main` of its own because it
//! is its own analysis worker.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    reason = "a test that panics has failed; its tables are its answer; what other tests share is not all used here"
)]

#[path = "../../../server/tests/live/incidents.rs"]
mod incidents;
#[path = "../../../server/tests/live/mirror.rs"]
mod mirror;
#[path = "../../../server/tests/live/publishing.rs"]
mod publishing;
#[path = "../../../server/tests/live/world.rs"]
mod world;

mod browser;
mod judged;
mod pages;
mod stories;

use std::process::ExitCode;

use cratekeeper_engine::worker;

type Test = (&'static str, fn());

const TESTS: [Test; 7] = [
    ("a_newcomer_sets_the_gate_up", stories::newcomer),
    ("arrayref_is_contained_in_a_few_clicks", stories::arrayref),
    ("a_copy_is_found_by_what_it_is_like", judged::similarity),
    ("a_false_alarm_is_waived_and_not_raised_again", judged::false_alarm),
    ("a_campaign_of_eight_is_blocked_at_once", judged::campaign),
    ("crafted_requests_change_nothing", judged::crafted_requests),
    ("every_page_is_whole_for_everybody", pages::pages),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|it| it == worker::WORKER_ARGUMENT) {
        let memory = arguments[1].parse().unwrap();
        return if worker::run(memory).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let is_ignored_only = arguments.iter().any(|it| it == "--ignored");
    if arguments.iter().any(|it| it == "--list") {
        for (name, _) in TESTS.iter().filter(|_| !is_ignored_only) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    if std::env::var_os("CRATEKEEPER_WITHOUT_BROWSER").is_some() {
        println!("not measured: CRATEKEEPER_WITHOUT_BROWSER is set");
        return ExitCode::SUCCESS;
    }
    let named = |name: &str| arguments.iter().any(|it| it == name);
    let is_any_named = TESTS.iter().any(|(name, _)| named(name));
    for (name, test) in TESTS.iter().filter(|(name, _)| !is_ignored_only && (named(name) || !is_any_named)) {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}
