//! OpenVEX 0.2.0: for each advisory, whether the workspace is affected by it.
//!
//! The *product* is what the user builds, the members of the workspace; the affected package is a component of it. The other way round
//! the document would say of a package that nobody is affected by it, and only this workspace is not.
//!
//! "Unknown" is `under_investigation`, and never `not_affected`. An advisory whose reachability was not asked for is `under_investigation` too.

use std::io::{self, Write};

use cratekeeper_model::{
    Absence, Advisory, CheckOutcome, Checksum, Finding, Package, PackageStatus, Reachability,
    ReachabilityAnswer,
};
use serde_json::{Map, Value, json};

use crate::Tool;

/// The context of documents, as the specification gives it.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

/// Who says so, and when.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The program.
    pub tool: Tool<'a>,
    /// Who answers for the document.
    pub author: &'a str,
    /// When it was made, as RFC 3339 writes it.
    pub timestamp: &'a str,
}

/// Writes what a check found out about advisories.
///
/// # Errors
///
/// Fails if `out` does.
pub fn check(issuer: &Issuer<'_>, outcome: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let statements = statements(outcome);
    // The same statements by the same author at the same time are the same document.
    let content = json!([issuer.author, issuer.timestamp, statements]).to_string();
    let document = json!({
        "@context": CONTEXT,
        "@id": format!("urn:cratekeeper:vex:{}", Checksum::of(content.as_bytes())),
        "author": issuer.author,
        "timestamp": issuer.timestamp,
        "version": 1,
        "tooling": format!("{} {}", issuer.tool.name, issuer.tool.version),
        "statements": statements,
    });
    crate::json::write(&document, out)
}

fn statements(outcome: &CheckOutcome) -> Vec<Value> {
    let members = outcome.packages.iter().filter(|it| it.status == PackageStatus::Local);
    let members: Vec<String> = members.map(|it| purl(&it.package)).collect();
    let mut statements = Vec::new();
    for package in &outcome.packages {
        for finding in &package.case.findings {
            if let Some(advisory) = &finding.advisory {
                statements.push(statement(&members, &package.package, finding, advisory));
            }
        }
    }
    statements
}

fn statement(members: &[String], package: &Package, finding: &Finding, advisory: &Advisory) -> Value {
    let component = component(&purl(package));
    let products: Vec<Value> = if members.is_empty() {
        vec![component]
    } else {
        let product = |purl: &String| {
            let mut product = self::component(purl);
            product["subcomponents"] = json!([component]);
            product
        };
        members.iter().map(product).collect()
    };
    let mut vulnerability = json!({"name": advisory.id, "description": advisory.title});
    if let Some(url) = &advisory.url {
        vulnerability["@id"] = json!(url);
    }
    if !advisory.aliases.is_empty() {
        vulnerability["aliases"] = json!(advisory.aliases);
    }
    let mut statement = Map::new();
    statement.insert("vulnerability".to_owned(), vulnerability);
    statement.insert("products".to_owned(), json!(products));
    for (key, value) in verdict(finding) {
        statement.insert(key.to_owned(), json!(value));
    }
    Value::Object(statement)
}

/// Status, and what the specification wants with it.
fn verdict(finding: &Finding) -> Vec<(&'static str, String)> {
    let Some(Reachability { answer, absence, assumptions, reasons, paths }) = finding.reachability.as_deref()
    else {
        return vec![
            ("status", "under_investigation".to_owned()),
            ("status_notes", "reachability was not asked for".to_owned()),
        ];
    };
    match answer {
        ReachabilityAnswer::Reachable => {
            let way = paths.first().map(|path| {
                let functions: Vec<&str> = path.steps.iter().map(|it| it.function.as_str()).collect();
                format!("reached by way of {}", functions.join(" → "))
            });
            let action = finding.help.clone().unwrap_or_else(|| "read the advisory".to_owned());
            let mut verdict = vec![("status", "affected".to_owned()), ("action_statement", action)];
            verdict.extend(way.map(|it| ("status_notes", it)));
            verdict
        }
        ReachabilityAnswer::NotReachable => {
            let justification = match absence {
                Some(Absence::NotCompiled) => "vulnerable_code_not_present",
                Some(Absence::NotCalled) | None => "vulnerable_code_not_in_execute_path",
            };
            vec![
                ("status", "not_affected".to_owned()),
                ("justification", justification.to_owned()),
                ("impact_statement", format!("this holds if {}", assumptions.join("; "))),
            ]
        }
        ReachabilityAnswer::Unknown => {
            vec![("status", "under_investigation".to_owned()), ("status_notes", reasons.join("; "))]
        }
    }
}

fn component(purl: &str) -> Value {
    json!({"@id": purl, "identifiers": {"purl": purl}})
}

/// Package URL. `+` of build metadata has to be escaped; names need nothing.
fn purl(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version.to_string().replace('+', "%2B"))
}
