//! Tests of a gate that runs in this process, with workers that are this program: so it has a `main` of its own, which speaks as much of the
//! test runners' language as they ask for.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its tables are its answer"
)]
// `json!` takes a step for every word of what providers say about themselves.
#![recursion_limit = "512"]

mod bad_input;
mod clock;
mod console;
mod identity_provider;
mod incidents;
mod mail_over_tls;
mod mirror;
mod owners;
mod policies;
mod post_office;
mod provider_keys;
mod provider_ways;
mod publishing;
mod real;
mod roles;
mod signing_in;
mod surfing;
mod trespassing;
mod uploads;
mod vault;
mod world;

use std::process::ExitCode;

use cratekeeper_engine::worker;

/// A test: its name, and what it does with the arguments that are left; gives whether all was as it should be.
type Test = (&'static str, fn(&[String]) -> bool);

const TESTS: [Test; 32] = [
    ("bad_input_is_answered_and_never_breaks_anything", |_| bad_input::bad_input()),
    ("arrayref_is_contained_by_two_people", |_| console::arrayref()),
    ("nobody_trespasses_in_the_console", |_| trespassing::trespassing()),
    ("a_false_alarm_is_waived_and_not_raised_again", |_| console::false_alarm()),
    ("a_waived_rule_counts_again_once_it_ends", |_| console::waived_rules()),
    ("a_campaign_is_blocked_at_once", |_| console::campaign()),
    ("operators_yank_and_put_back", |_| console::yanked_by_operators()),
    ("what_loosens_takes_two_people", |_| console::two_people()),
    ("another_policy_is_asked_about_the_past", |_| publishing::another_policy()),
    ("a_policy_is_weakened_by_two_people", |_| policies::set_by_people()),
    ("a_clock_that_jumps_loses_nothing", |_| clock::jumps()),
    ("a_campaign_is_seen_in_its_first_crate_too", |_| publishing::campaign()),
    ("incidents_live", incidents::incidents),
    ("owners_are_told_by_mail", |_| owners::told_by_mail()),
    ("mail_arrives_over_tls_or_not_at_all", |_| mail_over_tls::tls()),
    ("mail_arrives_over_starttls_or_not_at_all", |_| mail_over_tls::starttls()),
    ("nobody_is_told_where_mail_is_not_set_up", |_| owners::no_mail()),
    ("nothing_of_a_frozen_account_is_accepted", |_| owners::frozen()),
    ("two_trusted_reports_hold_and_a_thousand_strangers_do_not", |_| owners::trusted_reports()),
    ("real_crates_pass_through_the_gate", |_| real::real_crates()),
    ("somebody_signs_in_at_an_identity_provider", |_| signing_in::story()),
    ("what_is_no_proof_lets_nobody_in", |_| signing_in::lies()),
    ("providers_sign_and_describe_themselves_in_many_ways", |_| provider_ways::ways()),
    ("a_key_that_is_not_the_providers_proves_nothing", |_| provider_ways::confusions()),
    ("an_account_lives_without_a_password", |_| signing_in::without_password()),
    ("a_provider_that_is_away_keeps_nobody_out", |_| signing_in::away_provider()),
    ("every_route_asks_for_its_role", |_| roles::roles()),
    ("slow_uploads_of_one_account_keep_no_other_waiting", |_| uploads::slow_uploads()),
    ("what_is_taken_down_is_sealed_and_comes_back_as_it_was", |_| vault::vault()),
    ("what_is_taken_down_takes_two_people_who_prove_who_they_are", |_| vault::by_two_people()),
    ("what_is_taken_down_is_not_fetched_again", |_| vault::mirrored()),
    ("what_a_request_claims_is_believed_by_nobody", |_| publishing::false_claims()),
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
    let words: Vec<String> = arguments.into_iter().filter(|it| !it.starts_with("--")).collect();
    let named = |name: &str| words.iter().any(|it| it == name);
    let is_any_named = TESTS.iter().any(|(name, _)| named(name));
    let rest: Vec<String> =
        words.iter().filter(|it| TESTS.iter().all(|(name, _)| it != name)).cloned().collect();
    let chosen = TESTS.iter().filter(|(name, _)| !is_ignored_only && (named(name) || !is_any_named));
    let mut is_good = true;
    for (name, test) in chosen {
        let passed = test(&rest);
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        is_good &= passed;
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
