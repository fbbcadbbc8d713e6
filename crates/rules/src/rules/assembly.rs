//! Assembly.

use cratekeeper_model::facts::{AssemblySite, Facts};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "assembly",
    family: Family::Package,
    title: "The package contains assembly",
    explanation: "\
**Looks at:** `asm!`, `global_asm!` and `naked_asm!`. Assembly that calls the system (`syscall`, `int 0x80`, `svc`, `sysenter`,
`ecall`) or puts data into sections is `low`; the rest is `info`.

**Why:** a system call in assembly opens files and sockets without naming a function that does, and a section of constructors
runs before `main`. Every tool that looks for calls is blind to both.

**Harmless when:** the crate is about just that (`rustix`, `linux-raw-sys`, `compiler_builtins`), or needs an instruction that the
language has no word for: counters, fences, SIMD.

**What to do:** read the instructions; compare the numbers of system calls with what the crate says that it does.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[22],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(&facts.source.assembly, |site| Some((severity(site), Confidence::High)));
        groups.into_iter().map(|group| found(facts, group)).collect()
    })
}

fn severity(site: &AssemblySite) -> Severity {
    if site.mentions.is_empty() { Severity::Info } else { Severity::Low }
}

fn found(
    facts: &Facts,
    ((severity, confidence), sites): ((Severity, Confidence), Vec<&AssemblySite>),
) -> Finding {
    let places = count(sites.len(), "place", "places");
    let message = match sites[0].mentions.first() {
        Some(what) => format!(
            "assembly calls the system or defines sections (`{}`, {places})",
            printable(what, EXCERPT)
        ),
        None => format!("the package contains assembly ({places})"),
    };
    finding(&RULE, severity, confidence, message)
        .with_evidence(sites.iter().map(|site| evidence(facts, site)))
        .with_help("read the instructions: tools that look for calls do not see what assembly does")
        .pointing_to([22])
}

fn evidence(facts: &Facts, site: &AssemblySite) -> Evidence {
    place(places::path(facts, site.file), Some(site.line), Some(printable(&site.text, EXCERPT)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::AssemblySite;
    use cratekeeper_model::{Confidence, Severity};

    use super::RULE;
    use crate::test_support::{input, one, silent, weights, with};

    fn site(mentions: &[&str]) -> AssemblySite {
        AssemblySite {
            file: 0,
            line: 3,
            r#macro: "asm".to_owned(),
            function: None,
            text: "\"nop\"".to_owned(),
            mentions: mentions.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn system_calls_are_low() {
        let finding =
            one(&RULE, &with(|it| it.source.assembly.push(site(&["svc"]))), Severity::Low, Confidence::High);
        assert_eq!(finding.techniques, [22]);
        assert!(finding.message.contains("`svc`"));
    }

    #[test]
    fn other_assembly_is_info() {
        one(&RULE, &with(|it| it.source.assembly.push(site(&[]))), Severity::Info, Confidence::High);
        let both = with(|it| it.source.assembly.extend([site(&[]), site(&[".section"])]));
        assert_eq!(weights(&RULE, &both).len(), 2);
    }

    #[test]
    fn no_assembly_is_silent() {
        silent(&RULE, &input());
    }
}
