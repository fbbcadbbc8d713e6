//! Whether what an advisory is about is reached, in every format.

use cratekeeper_model::graph::{Certainty, EdgeKind};
use cratekeeper_model::{
    Absence, Advisory, AdvisoryClass, CallFrom, CallPath, CallStep, CheckOutcome, EntryKind, Finding,
    PackageStatus, Reachability, ReachabilityAnswer,
};
use cratekeeper_report::human::Detail;
use cratekeeper_report::vex::{self, Issuer};
use serde_json::{Value, json};

use crate::sample;

fn advisory() -> Advisory {
    Advisory {
        id: "RUSTSEC-2021-0003".to_owned(),
        aliases: vec!["CVE-2021-25900".to_owned()],
        date: "2021-01-08".to_owned(),
        title: "Buffer overflow in SmallVec::insert_many".to_owned(),
        class: AdvisoryClass::Vulnerability,
        severity: None,
        cvss: None,
        url: Some("https://advisories.example.invalid/RUSTSEC-2021-0003".to_owned()),
        patched: Vec::new(),
        functions: Vec::new(),
        os: Vec::new(),
        arch: Vec::new(),
    }
}

fn step(function: &str, package: &str, call: Option<u32>) -> CallStep {
    CallStep {
        function: function.to_owned(),
        package: package.to_owned(),
        version: Some("1.6.0".to_owned()),
        is_local: package == "app",
        file: Some(if package == "app" { "/projects/demo/app/src/main.rs" } else { "src/lib.rs" }.to_owned()),
        line: Some(7),
        call: call.map(|line| CallFrom {
            line: Some(line),
            kind: EdgeKind::Call,
            certainty: Certainty::Typed,
        }),
    }
}

fn reachability(answer: ReachabilityAnswer) -> Reachability {
    let path = CallPath {
        certainty: Certainty::Typed,
        entry: EntryKind::Normal,
        steps: vec![
            step("app@1.6.0::main", "app", None),
            step("smallvec@1.6.0::SmallVec::insert_many", "smallvec", Some(12)),
        ],
    };
    let is = |it| answer == it;
    Reachability {
        answer,
        absence: is(ReachabilityAnswer::NotReachable).then_some(Absence::NotCalled),
        assumptions: is(ReachabilityAnswer::NotReachable)
            .then(|| "tests are left out".to_owned())
            .into_iter()
            .collect(),
        reasons: is(ReachabilityAnswer::Unknown)
            .then(|| "a macro is not understood".to_owned())
            .into_iter()
            .collect(),
        paths: is(ReachabilityAnswer::Reachable).then_some(path).into_iter().collect(),
    }
}

fn with(reachability: Option<Reachability>) -> CheckOutcome {
    let mut outcome = sample::short_check();
    let findings = outcome.packages.iter_mut().filter(|it| it.package.name == "smallvec");
    let findings: Vec<&mut Finding> = findings.flat_map(|it| &mut it.case.findings).collect();
    let finding = findings.into_iter().next().unwrap();
    finding.advisory = Some(Box::new(advisory()));
    finding.reachability = reachability.map(Box::new);
    outcome
}

fn vex(outcome: &CheckOutcome) -> Value {
    let issuer = Issuer { tool: sample::TOOL, author: "someone", timestamp: "2026-01-01T00:00:00Z" };
    let mut out = Vec::new();
    vex::check(&issuer, outcome, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn vex_says_affected_not_affected_or_under_investigation() {
    for (answer, status) in [
        (ReachabilityAnswer::Reachable, "affected"),
        (ReachabilityAnswer::NotReachable, "not_affected"),
        (ReachabilityAnswer::Unknown, "under_investigation"),
    ] {
        let document = vex(&with(Some(reachability(answer))));
        assert_eq!(document["@context"], "https://openvex.dev/ns/v0.2.0");
        assert_eq!(document["version"], 1);
        for key in ["@id", "author", "timestamp"] {
            assert!(document[key].is_string(), "{key}");
        }
        let statements = document["statements"].as_array().unwrap();
        assert_eq!(statements.len(), 1, "findings without an advisory are no statements");
        let statement = &statements[0];
        assert_eq!(statement["status"], status);
        assert_eq!(statement["vulnerability"]["name"], "RUSTSEC-2021-0003");
        assert_eq!(statement["vulnerability"]["aliases"], json!(["CVE-2021-25900"]));
        // What the specification demands of each status, and forbids for the others.
        assert_eq!(statement.get("justification").is_some(), status == "not_affected");
        assert_eq!(statement.get("impact_statement").is_some(), status == "not_affected");
        assert_eq!(statement.get("action_statement").is_some(), status == "affected");
    }
    assert_eq!(vex(&with(None))["statements"][0]["status"], "under_investigation");
}

#[test]
fn vex_tells_what_is_not_compiled_from_what_is_not_called() {
    let mut outcome = with(Some(reachability(ReachabilityAnswer::NotReachable)));
    let justification = |outcome: &CheckOutcome| vex(outcome)["statements"][0]["justification"].clone();
    assert_eq!(justification(&outcome), "vulnerable_code_not_in_execute_path");
    for finding in outcome.packages.iter_mut().flat_map(|it| &mut it.case.findings) {
        if let Some(reachability) = &mut finding.reachability {
            reachability.absence = Some(Absence::NotCompiled);
        }
    }
    assert_eq!(justification(&outcome), "vulnerable_code_not_present");
}

#[test]
fn vex_speaks_of_the_workspace_and_not_of_the_package() {
    let mut outcome = with(None);
    let component =
        json!({"@id": "pkg:cargo/smallvec@1.6.0", "identifiers": {"purl": "pkg:cargo/smallvec@1.6.0"}});
    outcome.packages.retain(|it| it.status != PackageStatus::Local);
    assert_eq!(vex(&outcome)["statements"][0]["products"], json!([component]));
    let mut member = outcome.packages[0].clone();
    member.package.name = "app".to_owned();
    member.package.version = "0.1.0+x".parse().unwrap();
    member.status = PackageStatus::Local;
    member.case = cratekeeper_model::Case::default();
    outcome.packages.push(member);
    let product = &vex(&outcome)["statements"][0]["products"][0];
    assert_eq!(product["@id"], "pkg:cargo/app@0.1.0%2Bx");
    assert_eq!(product["subcomponents"], json!([component]));
}

#[test]
fn vex_has_the_same_id_for_the_same_document_alone() {
    let reachable = with(Some(reachability(ReachabilityAnswer::Reachable)));
    assert_eq!(vex(&reachable)["@id"], vex(&reachable)["@id"]);
    assert_ne!(vex(&reachable)["@id"], vex(&with(None))["@id"]);
}

#[test]
fn sarif_has_the_way_as_a_code_flow() {
    let document = crate::sarif::check(&with(Some(reachability(ReachabilityAnswer::Reachable))));
    let results = document["runs"][0]["results"].as_array().unwrap();
    let flows: Vec<&Value> = results.iter().filter_map(|it| it.get("codeFlows")).collect();
    assert_eq!(flows.len(), 1);
    let locations = &flows[0][0]["threadFlows"][0]["locations"];
    let place = |at: usize| &locations[at]["location"]["physicalLocation"];
    // The user's own file, at the line of the call.
    assert_eq!(place(0)["artifactLocation"], json!({"uri": "app/src/main.rs"}));
    assert_eq!(place(0)["region"]["startLine"], 12);
    assert_eq!(
        place(1)["artifactLocation"],
        json!({"uri": "smallvec-1.6.0/src/lib.rs", "uriBaseId": "PACKAGES"})
    );
    assert_eq!(place(1)["region"]["startLine"], 7);
    assert!(document["runs"][0]["originalUriBaseIds"]["PACKAGES"].is_object());
    crate::schema::assert_sarif(&document);
}

#[test]
fn json_and_text_have_the_answer_with_its_reasons() {
    for (answer, expected) in [
        (ReachabilityAnswer::Reachable, "reachable: app@1.6.0::main → smallvec@1.6.0::SmallVec::insert_many"),
        (ReachabilityAnswer::NotReachable, "not reachable"),
        (ReachabilityAnswer::Unknown, "a macro is not understood"),
    ] {
        let outcome = with(Some(reachability(answer)));
        let mut out = Vec::new();
        cratekeeper_report::json::check(sample::TOOL, &outcome, &mut out).unwrap();
        let document: Value = serde_json::from_slice(&out).unwrap();
        let packages = document["packages"].as_array().unwrap();
        let package = packages.iter().find(|it| it["name"] == "smallvec").unwrap();
        let finding = &package["case"]["findings"][0];
        assert_eq!(finding["advisory"], "RUSTSEC-2021-0003");
        assert_eq!(finding["reachability"]["answer"], answer.as_str());
        crate::schema::assert_check(&document);
        let mut out = Vec::new();
        cratekeeper_report::human::check(&sample::view(Detail::Normal), &outcome, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expected), "{text}");
    }
}
