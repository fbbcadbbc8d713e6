//! Names that can be taken for those of other crates.

use cratekeeper_model::{Confidence, Level, NameMatch, NameMatches, Package, RuleInput, Severity};

use crate::advice;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, when_known};
use crate::text::{NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "confusable-name",
    family: Family::Names,
    title: "The name can be taken for that of another crate",
    explanation: "\
**Looks at:** whether the name of the package can be taken for that of a popular crate, or for a name that registries
reserve: other separators, a missing or doubled letter, characters that look alike, words in another order, an affix such
as `-rs`, and so on ([`names.md`](names.md) has all of them). A name that is itself popular is not compared. It is `medium`
where it is likely that one is taken for the other, with high confidence for the kinds of which hardly any are harmless
(score 85 and more), and `low` where the two are merely close.

**Why:** whoever mistypes a dependency builds what stands under the mistyped name, and registries give names to whoever
comes first. `rustdecimal` (May 2022) was a copy of `rust_decimal` that fetched a second stage on CI machines; `faster_log`
(2025) was a copy of `fast_log` that sent away wallet keys, for 122 days. Source: the Rust Blog of 2022-05-10 and 2025-09-24.

**Harmless when:** often: forks, companions and successors have such names, and short names are alike by chance. So it is a
signal: alone it never gives more than a review, and it makes other findings count more.

**What to do:** see who asks for the package, and whether they mean it. If another crate was meant, replace it, and treat
what was built with it as touched by a stranger. If it is meant, nothing.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[35],
    evaluate,
};

/// Score from which on hardly any pair is harmless: nothing but separators, look-alikes, a plural or a slip of the fingers
/// tells the two apart.
const SURE: u8 = 85;

/// Most further targets in a message.
const FURTHER: usize = 4;

/// Longest explanation: it holds two names and a few words.
const EXPLANATION: usize = 300;

fn evaluate(input: &RuleInput) -> Evaluation {
    when_known(&input.names, |names| {
        let Some((best, further)) = names.matches.split_first() else {
            return Vec::new();
        };
        let Some((severity, confidence)) = weight(names, best) else {
            return Vec::new();
        };
        let name = quoted(&input.package.name, NAME);
        let mut message = format!(
            "check that {name} is the crate that is meant: {}",
            printable(best.explanation.trim(), EXPLANATION)
        );
        if !further.is_empty() {
            message.push_str(&format!(" (it is also like {})", listed(further)));
        }
        let finding = finding(&RULE, severity, confidence, message).with_help(help(&input.package, best));
        // Names that are merely close point to nothing.
        vec![finding.pointing_to((severity >= Severity::Medium).then_some(35))]
    })
}

fn weight(names: &NameMatches, best: &NameMatch) -> Option<(Severity, Confidence)> {
    if names.in_corpus {
        return None;
    }
    match names.level {
        Level::None | Level::Info => None,
        Level::Review => Some((Severity::Low, Confidence::Low)),
        Level::Alert | Level::Block if best.score >= SURE => Some((Severity::Medium, Confidence::High)),
        Level::Alert | Level::Block => Some((Severity::Medium, Confidence::Medium)),
    }
}

fn listed(matches: &[NameMatch]) -> String {
    let names: Vec<String> = matches.iter().take(FURTHER).map(|it| quoted(&it.target, NAME)).collect();
    let names = names.join(", ");
    match matches.len().saturating_sub(FURTHER) {
        0 => names,
        more => format!("{names} and {}", count(more, "other", "others")),
    }
}

/// Who asks for it, and how to replace it. A reserved name is no crate that could be added.
fn help(package: &Package, best: &NameMatch) -> String {
    let target = quoted(&best.target, NAME);
    let Some(spec) = advice::spec(package, &package.version) else {
        return format!("find out who asks for it, and replace it if {target} was meant");
    };
    let who = format!("`cargo tree -i {spec}` shows who asks for it");
    match (advice::plain_name(&package.name), advice::plain_name(&best.target)) {
        (Some(name), Some(other)) if best.check != "reserved-name" => {
            format!(
                "{who}; if it is you and you meant {target}: `cargo remove {name}` and `cargo add {other}`"
            )
        }
        _ => format!("{who}; `cratekeeper inspect {spec}` shows what is in it"),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Case, Confidence, Known, Level, NameMatch, NameMatches, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent};

    fn like(target: &str, score: u8) -> NameMatch {
        NameMatch {
            target: target.to_owned(),
            check: "omitted-letter".to_owned(),
            score,
            explanation: format!("`demo` is `{target}` with a letter missing"),
        }
    }

    fn named(matches: Vec<NameMatch>) -> RuleInput {
        let level = match matches.first().map_or(0, |it| it.score) {
            60.. => Level::Alert,
            30.. => Level::Review,
            _ => Level::None,
        };
        RuleInput { names: Known::Known(NameMatches { in_corpus: false, level, matches }), ..input() }
    }

    fn case(matches: Vec<NameMatch>) -> Case {
        crate::judge(&named(matches))
    }

    #[test]
    fn a_likely_mistake_is_medium() {
        let finding = one(&RULE, &named(vec![like("demon", 84)]), Severity::Medium, Confidence::Medium);
        let expected =
            "check that `demo` is the crate that is meant: `demo` is `demon` with a letter missing";
        assert_eq!(finding.message, expected);
        assert_eq!(
            finding.help.unwrap(),
            "`cargo tree -i demo@1.2.3` shows who asks for it; if it is you and you meant `demon`: \
             `cargo remove demo` and `cargo add demon`"
        );
    }

    #[test]
    fn kinds_without_harmless_examples_are_sure() {
        one(&RULE, &named(vec![like("demon", 85)]), Severity::Medium, Confidence::High);
    }

    #[test]
    fn names_that_are_merely_close_are_low() {
        let close = named(vec![like("demon", 59)]);
        one(&RULE, &close, Severity::Low, Confidence::Low);
        assert!(crate::judge(&close).techniques.is_empty());
    }

    #[test]
    fn likeness_alone_asks_for_a_review_at_most() {
        for score in 0..=100 {
            let matches = (0..50).map(|number| like(&format!("demo{number}"), score)).collect();
            let case = case(matches);
            assert!(case.level <= Level::Review, "{score}: {}", case.score);
            assert_eq!(case.level == Level::Review, score >= 85, "{score}: {}", case.score);
        }
        assert_eq!(case(vec![like("demon", 95)]).techniques, [35]);
    }

    #[test]
    fn the_other_targets_are_counted() {
        let matches = (0..7).map(|number| like(&format!("demo{number}"), 70)).collect();
        let finding = one(&RULE, &named(matches), Severity::Medium, Confidence::Medium);
        let end = "(it is also like `demo1`, `demo2`, `demo3`, `demo4` and 2 others)";
        assert!(finding.message.ends_with(end), "{}", finding.message);
    }

    /// `rustdecimal` of 2022, with the separator left out.
    #[test]
    fn rustdecimal_is_reviewed() {
        let mut case = named(vec![NameMatch {
            check: "separators".to_owned(),
            explanation: "`rustdecimal` and `rust_decimal` differ in separators only".to_owned(),
            ..like("rust_decimal", 95)
        }]);
        case.package.name = "rustdecimal".to_owned();
        let finding = one(&RULE, &case, Severity::Medium, Confidence::High);
        assert!(finding.help.unwrap().ends_with("`cargo remove rustdecimal` and `cargo add rust_decimal`"));
    }

    #[test]
    fn a_popular_name_is_no_squat() {
        let names = NameMatches { in_corpus: true, level: Level::Alert, matches: vec![like("demon", 95)] };
        silent(&RULE, &RuleInput { names: Known::Known(names), ..input() });
    }

    #[test]
    fn a_name_like_no_other_is_silent() {
        silent(&RULE, &named(Vec::new()));
        silent(&RULE, &named(vec![like("demolition", 29)]));
        silent(&RULE, &input());
    }

    #[test]
    fn a_reserved_name_is_nothing_to_add() {
        let reserved = NameMatch { check: "reserved-name".to_owned(), ..like("std", 60) };
        let finding = one(&RULE, &named(vec![reserved]), Severity::Medium, Confidence::Medium);
        assert!(finding.help.unwrap().ends_with("`cratekeeper inspect demo@1.2.3` shows what is in it"));
    }

    #[test]
    fn names_that_a_shell_would_obey_become_no_command() {
        let finding = one(&RULE, &named(vec![like("$(id)", 90)]), Severity::Medium, Confidence::High);
        assert!(!finding.help.unwrap().contains("cargo add"));
        let mut hostile = named(vec![like("demon", 90)]);
        hostile.package.name = "demo; id".to_owned();
        let finding = one(&RULE, &hostile, Severity::Medium, Confidence::High);
        assert_eq!(finding.help.unwrap(), "find out who asks for it, and replace it if `demon` was meant");
    }

    #[test]
    fn a_name_that_cannot_be_judged_is_not_evaluated() {
        let names = Known::Unknown("the name is empty".to_owned());
        not_evaluated(&RULE, &RuleInput { names, ..input() });
    }
}
