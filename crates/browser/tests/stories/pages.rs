//! Every page, on a desktop and on a phone, in light and dark: whole, without a sideways scroll, and nothing that axe calls serious.

use std::path::Path;

use fantoccini::Locator;

use crate::browser::{Browser, Look, wait};
use crate::incidents::Stage;
use crate::world::PASSWORD;

/// Names of pictures, and pages.
const PAGES: [(&str, &str); 26] = [
    ("queue", "/console/queue"),
    ("case", "/console/case/1"),
    ("advisory", "/console/case/1/advisory"),
    (
        "act",
        "/console/act?change=%7B%22act%22%3A%22decide%22%2C%22target%22%3A%7B%22registry%22%3A%22hosted%22%2C%22crate%22%3A%22faster_log%22%7D%2C%22action%22%3A%22hold%22%2C%22enforcement%22%3A%22deny%22%7D",
    ),
    ("approvals", "/console/requests"),
    ("version", "/console/version/9"),
    ("file", "/console/version/9/file?file=src%2Fpacker.rs"),
    ("difference", "/console/version/9/difference?to=3"),
    ("crate", "/console/crate/hosted/faster_log"),
    ("publisher", "/console/publisher/hosted/rustguruman"),
    ("search", "/console/search?q=fast"),
    ("people", "/console/people"),
    ("person", "/console/people/operator"),
    ("audit-log", "/console/audit-log"),
    ("entry", "/console/audit-log/1"),
    ("system", "/console/system"),
    ("insights", "/console/insights"),
    ("rules", "/console/rules"),
    ("names", "/console/names"),
    ("policy", "/console/policy"),
    ("callers", "/console/version/9/callers"),
    (
        "notify",
        "/console/notify?registry=hosted&crate=faster_log&version=1.7.8&template=held&back=%2Fconsole%2Fqueue",
    ),
    ("prove", "/console/prove?back=%2Fconsole%2Fqueue"),
    ("report", "/report?crate=faster_log"),
    ("account", "/console/account"),
    ("second-factor", "/console/account/second-factor"),
];

pub(crate) fn pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    let stage = Stage::over(&root.join("fasterlog"));
    if std::env::var_os("CRATEKEEPER_AXE").is_none() {
        println!("not measured: what axe-core finds (CRATEKEEPER_AXE names no file)");
    }
    let mut found = Vec::new();
    for (is_phone, is_dark) in [(false, false), (false, true), (true, false), (true, true)] {
        let look = Look { is_phone, is_dark, runs_scripts: true };
        found.extend(wait(walk(&stage.world.address, look)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn walk(address: &str, look: Look) -> Vec<String> {
    let mut browser = Browser::open(look).await;
    let mut found = Vec::new();
    browser.goto(&format!("http://{address}/console/sign-in")).await;
    found.extend(browser.keep("sign-in").await);
    browser.fill("login", "operator").await;
    browser.fill("password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.sees("Queue").await;
    for (name, path) in PAGES {
        browser.goto(&format!("http://{address}{path}")).await;
        let text = browser.text().await;
        if text.contains("That did not work") || browser.client.find(Locator::Css("main h1")).await.is_err() {
            found.push(format!("{name}: {text}"));
        }
        found.extend(browser.keep(name).await);
        let width = "return [document.documentElement.scrollWidth, innerWidth]";
        let width = browser.client.execute(width, vec![]).await.unwrap();
        if width[0].as_i64() > width[1].as_i64() {
            found.push(format!("{name}: {look:?} it is wider than the window: {width}"));
        }
    }
    browser.close().await;
    found
}
