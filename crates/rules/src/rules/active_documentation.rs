//! Documentation that does something when it is shown.

use cratekeeper_model::facts::{Facts, Remark, RemarkKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places::extension;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "active-documentation",
    family: Family::Package,
    title: "Documentation carries HTML that runs or loads something",
    explanation: "\
**Looks at:** doc comments, Markdown files, and the pages that `[package.metadata.docs.rs]` tells rustdoc to add
(`--html-in-header` and its like), for scripts, frames, forms, event handlers and addresses that are programs. Code between
backticks and in fences is left out.

| where | severity |
|---|---|
| a doc comment, which rustdoc puts into its pages as it is | low |
| a page that rustdoc is told to add | low with a script, info without |
| Markdown: registries clean it, other tools that show it may not | info |

**Why:** who reads the documentation runs it, on the address where the documentation is served, with whatever is stored
there. Build services and company mirrors serve it beside pages that hold a login.

**Harmless when:** a header loads the fonts and scripts that show formulas (KaTeX), or a README shows how to embed
something without a code fence.

**What to do:** read the element. Documentation has no reason to send anything.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[58],
    evaluate,
};

/// Arguments of rustdoc that put a file into its pages.
const PAGE_ARGUMENTS: [&str; 5] = [
    "--html-in-header",
    "--html-before-content",
    "--html-after-content",
    "--markdown-before-content",
    "--extend-css",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let remarks = || facts.files.remarks.iter().filter(|it| it.kind == RemarkKind::ActiveMarkup);
        let is_rust = |it: &&Remark| extension(&it.file).eq_ignore_ascii_case("rs");
        let is_page = |it: &&Remark| {
            facts.manifest.documentation_arguments.iter().any(|argument| argument.ends_with(&it.file))
        };
        let groups: [(&str, Severity, Vec<&Remark>); 3] = [
            ("doc comments carry", Severity::Low, remarks().filter(is_rust).collect()),
            (
                "pages that are added to the documentation carry",
                Severity::Low,
                remarks().filter(is_page).collect(),
            ),
            (
                "Markdown carries",
                Severity::Info,
                remarks().filter(|it| !is_rust(it) && !is_page(it)).collect(),
            ),
        ];
        let mut findings = Vec::new();
        for (what, severity, places) in groups {
            if !places.is_empty() {
                let elements = count(places.len(), "element", "elements");
                let message =
                    format!("{what} HTML that runs or loads something when it is shown ({elements})");
                findings.push(
                    finding(&RULE, severity, Confidence::Medium, message)
                        .with_evidence(places.iter().map(|it| evidence(it)))
                        .with_help("read what the element loads or sends, before you open the documentation")
                        .pointing_to([58]),
                );
            }
        }
        if findings.iter().all(|it| it.severity == Severity::Info) {
            findings.extend(added_pages(facts));
        }
        findings
    })
}

/// Pages that are added, whatever they hold: they may lie outside of what was read.
fn added_pages(facts: &Facts) -> Option<cratekeeper_model::Finding> {
    let arguments = &facts.manifest.documentation_arguments;
    let argument = arguments.iter().find(|it| PAGE_ARGUMENTS.iter().any(|page| it.starts_with(page)))?;
    let message = format!(
        "documentation is built with {}, which puts a file of the package into every page",
        quoted(argument, NAME)
    );
    Some(
        finding(&RULE, Severity::Info, Confidence::Medium, message)
            .with_evidence([place("Cargo.toml", None, Some(printable(&arguments.join(" "), EXCERPT)))])
            .with_help("read the file that the argument names")
            .pointing_to([58]),
    )
}

fn evidence(remark: &Remark) -> Evidence {
    place(&remark.file, Some(remark.line), Some(printable(&remark.excerpt, 2 * EXCERPT)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::RemarkKind::{ActiveMarkup, AssistantInstruction};
    use cratekeeper_model::{Confidence, Severity};

    use super::RULE;
    use crate::test_support::{one, remark, silent, with};

    #[test]
    fn doc_comments_and_added_pages_are_low() {
        let input = with(|facts| facts.files.remarks.push(remark("src/lib.rs", ActiveMarkup)));
        assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).techniques, [58]);
        let input = with(|facts| {
            facts.files.remarks.push(remark("assets/head.html", ActiveMarkup));
            facts.manifest.documentation_arguments = vec!["--html-in-header=assets/head.html".to_owned()];
        });
        one(&RULE, &input, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn markdown_and_pages_without_scripts_are_info() {
        let input = with(|facts| facts.files.remarks.push(remark("README.md", ActiveMarkup)));
        one(&RULE, &input, Severity::Info, Confidence::Medium);
        let arguments = ["--html-in-header", "katex.html"].map(str::to_owned).to_vec();
        let input = with(|facts| facts.manifest.documentation_arguments = arguments);
        one(&RULE, &input, Severity::Info, Confidence::Medium);
    }

    #[test]
    fn other_remarks_and_arguments_are_silent() {
        silent(&RULE, &with(|facts| facts.files.remarks.push(remark("README.md", AssistantInstruction))));
        let arguments = vec!["--cfg".to_owned(), "docsrs".to_owned()];
        silent(&RULE, &with(|facts| facts.manifest.documentation_arguments = arguments));
    }
}
