//! Cases that are looked at and judged: a copy that is found by what it was copied from, a false alarm, a campaign, and what somebody without the
//! role, or alone, cannot do by requests that no page offers.

use std::path::Path;

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::browser::{Browser, Look, wait};
use crate::incidents::Stage;
use crate::publishing::{archive, metadata, publish};
use crate::stories::sign_in;
use crate::world::{PASSWORD, World};

/// A phone in the dark, without scripts: everything on the way has to work there, too.
const PLAIN: Look = Look { is_phone: true, is_dark: true, runs_scripts: false };

fn faster_log() -> Stage {
    Stage::over(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents/fasterlog"))
}

/// Keeps a picture; nothing that axe calls serious may be on the page.
async fn keep(browser: &Browser, name: &str) {
    let found = browser.keep(name).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Says why, and sends the form.
async fn because(browser: &mut Browser, why: &str, button: &str) {
    browser.fill("reason", why).await;
    browser.fill_if_asked("password", PASSWORD).await;
    browser.click(button).await;
}

/// A copy of a crate under another name is found by what it is like; two people contain it.
pub(crate) fn similarity() {
    for look in [Look::DESKTOP, PLAIN] {
        let stage = faster_log();
        wait(async {
            let mut first = sign_in(&stage.world, "operator", look).await;
            first.click("faster_log 1.7.8").await;
            first.sees("What it is like").await;
            first.sees("fast_log").await;
            keep(&first, "story-similar-1-case").await;
            first.click("compare").await;
            first.sees("fast_log").await;
            first.sees("packer.rs").await;
            keep(&first, "story-similar-2-beside-its-model").await;
            first.client.back().await.unwrap();
            first.click("Block this version").await;
            first.sees("faster_log@1.7.8").await;
            because(&mut first, "a copy of fast_log that reads wallets", "Block").await;
            first.sees("not confirmed yet").await;
            first.close().await;
            let mut second = sign_in(&stage.world, "colleague", look).await;
            second.click("Approvals 1").await;
            second.click("Confirm").await;
            second.sees("Everything is confirmed").await;
            keep(&second, "story-similar-3-confirmed").await;
            second.close().await;
        });
        let path = "/admin/v1/versions/hosted/faster_log/1.7.8";
        let known = stage.world.administer("GET", path, &Value::Null);
        assert_eq!(known["version"]["standing"]["state"], "blocked", "{known:#}");
    }
}

/// A false alarm is released, its clause is waived, and it is not raised again.
pub(crate) fn false_alarm() {
    for look in [Look::DESKTOP, PLAIN] {
        let stage = faster_log();
        let world = &stage.world;
        wait(async {
            let mut first = sign_in(world, "operator", look).await;
            let mut second = sign_in(world, "colleague", look).await;
            first.click("faster_log 1.7.8").await;
            for (number, offer) in ["Release this version", "Waive its clause for 90 days"].iter().enumerate()
            {
                first.click(offer).await;
                first.sees("A second person has to agree").await;
                because(&mut first, "we wrote it ourselves, as an exercise", "Ask for it").await;
                first.sees("It is done once a second person agrees").await;
                assert!(!first.text().await.contains("Agree, and do it"), "whoever asks cannot agree");
                keep(&first, &format!("story-false-alarm-{number}-asked")).await;
                second.goto(&format!("http://{}/console/requests", world.address)).await;
                let waiting = second.client.find(Locator::Css("main a[href^='/console/requests/']")).await;
                waiting.unwrap().click().await.unwrap();
                second.sees("Exactly this changes").await;
                second.fill("agree", "so they did").await;
                second.click("Agree, and do it").await;
                second.sees("Done, with two people").await;
                world.settle();
                first.goto(&format!("http://{}/console/queue?state=all", world.address)).await;
                first.click("faster_log 1.7.8").await;
            }
            let again = json!({ "target": { "crate": "faster_log", "version": "1.7.8" }, "reason": "is it raised again?" });
            world.administer("POST", "/admin/v1/inspect", &again);
            world.settle();
            first.goto(&format!("http://{}/console/queue", world.address)).await;
            assert!(!first.text().await.contains("faster_log"), "{}", first.text().await);
            keep(&first, "story-false-alarm-2-not-raised-again").await;
            first.close().await;
            second.close().await;
        });
        let path = "/admin/v1/versions/hosted/faster_log/1.7.8";
        let known = world.administer("GET", path, &Value::Null);
        assert_eq!(known["version"]["automatic"], "released", "by its inspection, too: {known:#}");
    }
}

/// Eight crates of one account, blocked at once.
pub(crate) fn campaign() {
    for look in [Look::DESKTOP, PLAIN] {
        let world = World::open(1_790_000_000, |_| {});
        let names = eight(&world);
        wait(async {
            let mut browser = sign_in(&world, "operator", look).await;
            browser.click("8 open cases of mallory, hosted").await;
            keep(&browser, "story-campaign-1-queue").await;
            browser.click("evm-units-one 1.0.0").await;
            browser.click("Block everything of the publisher").await;
            for name in &names {
                browser.sees(&format!("{name}@1.0.0")).await;
            }
            keep(&browser, "story-campaign-2-what-changes").await;
            because(&mut browser, "a campaign: eight names, one account", "Block").await;
            browser.sees("Done. The audit log has an entry.").await;
            assert!(browser.clicks <= 6, "{} clicks", browser.clicks);
            browser.goto(&format!("http://{}/console/queue", world.address)).await;
            browser.sees("Nothing is here.").await;
            keep(&browser, "story-campaign-3-contained").await;
            browser.close().await;
        });
        for name in &names {
            let path = format!("/admin/v1/versions/hosted/{name}/1.0.0");
            let known = world.administer("GET", &path, &Value::Null);
            assert_eq!(known["version"]["standing"]["state"], "blocked", "{known:#}");
        }
    }
}

/// Publishes eight crates of one account, each of which somebody reports.
fn eight(world: &World) -> [String; 8] {
    world.administer("POST", "/admin/v1/users", &json!({ "login": "mallory", "reason": "a test" }));
    let body = json!({ "user": "mallory", "name": "test", "scopes": ["publish-new"], "reason": "a test" });
    let token = world.administer("POST", "/admin/v1/tokens", &body)["secret"].as_str().unwrap().to_owned();
    let names =
        ["one", "two", "three", "four", "five", "six", "seven", "eight"].map(|it| format!("evm-units-{it}"));
    for name in &names {
        let answer = publish(world, &token, &metadata(name, "1.0.0"), &archive(name, "1.0.0", ""));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let report = json!({ "crate": name, "kind": "malware", "text": "it is one of eight" });
        assert_eq!(world.ask("POST", "/api/reports", "", report.to_string().as_bytes()).status, 202);
    }
    world.settle();
    names
}

/// Sends a form that no page offers, with the session and the text of the page that is open. Gives the status of the answer.
async fn craft(browser: &Browser, path: &str, fields: &Value) -> u64 {
    let script = "const [path, fields, done] = arguments; \
        const body = new URLSearchParams(fields); \
        body.set('form_token', document.querySelector('[name=form_token]').value); \
        fetch(path, { method: 'POST', body, redirect: 'follow' }).then(it => done(it.status), e => done(String(e)));";
    let answer = browser.client.execute_async(script, vec![json!(path), fields.clone()]).await.unwrap();
    answer.as_u64().unwrap_or_else(|| panic!("{path}: {answer}"))
}

/// Requests that no page offers: a viewer changes nothing by them, and nobody alone loosens anything.
pub(crate) fn crafted_requests() {
    let stage = faster_log();
    let world = &stage.world;
    let body = json!({ "login": "viewer", "roles": ["viewer"], "reason": "a test" });
    let made = world.administer("POST", "/admin/v1/users", &body);
    let link = made["link"].as_str().unwrap().to_owned();
    let path = "/admin/v1/versions/hosted/faster_log/1.7.8";
    let before = world.administer("GET", path, &Value::Null)["version"].clone();
    let change = |action: &str| {
        let target =
            json!({ "registry": "hosted", "crate": "faster_log", "version": "1.7.8", "publisher": null });
        json!({ "act": "decide", "target": target, "action": action, "enforcement": "deny" }).to_string()
    };
    wait(async {
        let mut viewer = Browser::open(Look::DESKTOP).await;
        viewer.goto(&link).await;
        viewer.fill("password", PASSWORD).await;
        viewer.click("Join").await;
        viewer.sees("Second factor").await;
        viewer.goto(&format!("http://{}/console/queue", world.address)).await;
        viewer.click("faster_log 1.7.8").await;
        viewer.sees("What it does").await;
        assert!(!viewer.text().await.contains("Release this version"), "nothing is offered");
        keep(&viewer, "story-viewer-1-sees").await;
        for action in ["release", "hold", "block"] {
            let fields = json!({ "change": change(action), "digest": "0", "reason": "because" });
            assert_eq!(craft(&viewer, "/console/act", &fields).await, 403, "{action}");
        }
        let roles = json!({ "act": "set-roles", "login": "viewer", "roles": ["admin"] }).to_string();
        let fields = json!({ "change": roles, "digest": "0", "reason": "because", "password": PASSWORD });
        assert_eq!(craft(&viewer, "/console/act", &fields).await, 403);
        assert_eq!(craft(&viewer, "/console/case/1/assign", &json!({ "who": "me" })).await, 403);
        assert_eq!(
            craft(&viewer, "/console/requests/1/agree", &json!({ "digest": "0", "reason": "yes" })).await,
            403
        );
        viewer.close().await;

        // One person asks for a release, and agrees to it by a request that the page does not offer.
        let mut first = sign_in(world, "operator", Look::DESKTOP).await;
        first.click("faster_log 1.7.8").await;
        first.click("Release this version").await;
        because(&mut first, "it is harmless", "Ask for it").await;
        first.sees("It is done once a second person agrees").await;
        let place = first.client.current_url().await.unwrap().path().to_owned();
        let asked = world.administer("GET", "/admin/v1/requests", &Value::Null);
        let digest = asked["requests"][0]["digest"].as_str().unwrap().to_owned();
        let fields = json!({ "digest": digest, "reason": "I said so" });
        let alone = craft(&first, &format!("{place}/agree"), &fields).await;
        assert!(matches!(alone, 400 | 403), "{alone}");
        first.goto(&format!("http://{}{place}", world.address)).await;
        first.sees("You cannot agree").await;
        keep(&first, "story-viewer-2-nobody-agrees-alone").await;
        first.close().await;
    });
    let after = world.administer("GET", path, &Value::Null)["version"].clone();
    assert_eq!(before["standing"], after["standing"], "nothing was changed");
}
