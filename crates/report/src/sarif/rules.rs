//! The rules of a run, as SARIF's reporting descriptors.

use std::collections::BTreeMap;

use cratekeeper_model::{Outcome, Severity, UnresolvedDependency};
use serde_json::json;
use serde_sarif::sarif::{
    MultiformatMessageString, ReportingDescriptor, ReportingDescriptorReference, Tool as SarifTool,
    ToolComponent,
};

use super::notice::Notice;
use super::{bag, security_severity};
use crate::{RuleDescription, Tool, UNRESOLVED_DEPENDENCY};

/// Finds a rule's position and description by its id.
pub(super) struct RuleTable<'a> {
    rules: Vec<RuleDescription<'a>>,
    worst: BTreeMap<&'a str, Severity>,
}

impl<'a> RuleTable<'a> {
    /// All known rules, and after them those that only findings name: results stored by another version may
    /// hold rules that this one does not know. What stands in manifests comes last.
    pub(super) fn new(
        known: &[RuleDescription<'a>],
        packages: &[&'a Outcome],
        unresolved: &[UnresolvedDependency],
    ) -> RuleTable<'a> {
        let mut rules = known.to_vec();
        let mut worst = BTreeMap::new();
        for case in packages.iter().map(|outcome| &outcome.case) {
            let silent = case.not_evaluated.iter().map(|it| it.rule.as_str());
            for id in case.findings.iter().map(|it| it.rule.as_str()).chain(silent) {
                if !rules.iter().any(|rule| rule.id == id) {
                    rules.push(RuleDescription { id, title: id, explanation: "", help_uri: None });
                }
            }
            for finding in &case.findings {
                let severity = worst.entry(finding.rule.as_str()).or_insert(finding.severity);
                *severity = finding.severity.max(*severity);
            }
        }
        let id = UNRESOLVED_DEPENDENCY.id;
        if !unresolved.is_empty() && !rules.iter().any(|rule| rule.id == id) {
            rules.push(UNRESOLVED_DEPENDENCY);
        }
        worst.extend(unresolved.iter().filter_map(UnresolvedDependency::severity).max().map(|it| (id, it)));
        RuleTable { rules, worst }
    }

    /// Position of a rule that occurs in the packages.
    pub(super) fn index(&self, id: &str) -> i64 {
        let index = self.rules.iter().position(|rule| rule.id == id);
        index.and_then(|it| i64::try_from(it).ok()).unwrap_or(-1)
    }

    pub(super) fn reference(&self, id: &str) -> ReportingDescriptorReference {
        ReportingDescriptorReference::builder().id(id).index(self.index(id)).build()
    }

    pub(super) fn tool(&self, tool: Tool<'_>) -> SarifTool {
        let driver = ToolComponent::builder()
            .name(tool.name)
            .version(tool.version)
            .semantic_version(tool.version)
            .rules(self.rules.iter().map(|rule| self.descriptor(rule)).collect::<Vec<_>>())
            .notifications(Notice::ALL.map(Notice::descriptor))
            .build();
        SarifTool::builder().driver(driver).build()
    }

    fn descriptor(&self, rule: &RuleDescription<'_>) -> ReportingDescriptor {
        let summary =
            rule.explanation.split("\n\n").next().filter(|it| !it.trim().is_empty()).unwrap_or(rule.title);
        let help = MultiformatMessageString::builder();
        let help = match rule.explanation {
            "" => help.text(rule.title).build(),
            explanation => help.text(explanation).markdown(explanation).build(),
        };
        let mut descriptor = ReportingDescriptor::builder()
            .id(rule.id)
            .short_description(text(rule.title))
            .full_description(text(summary))
            .help(help)
            .build();
        descriptor.help_uri = rule.help_uri.map(str::to_owned);
        // Code scanning reads this number from the rule, not from the result: the worst of this run, so that
        // nothing looks milder than it is.
        let mut properties = match self.worst.get(rule.id) {
            Some(worst) => bag([("security-severity", json!(security_severity(*worst)))]),
            None => bag([]),
        };
        properties.tags = Some(vec!["security".to_owned(), "supply-chain".to_owned()]);
        descriptor.properties = Some(properties);
        descriptor
    }
}

pub(super) fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}
