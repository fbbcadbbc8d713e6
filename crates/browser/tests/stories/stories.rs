//! What people do, from the first page to the last.

use std::path::Path;

use fantoccini::Locator;

use crate::browser::{Browser, Look, wait};
use crate::incidents::Stage;
use crate::world::{PASSWORD, World};

/// Most clicks of each of two people, from the queue to a contained attack.
const CLICKS: usize = 6;

/// From the printed link to two people who keep the gate.
pub(crate) fn newcomer() {
    let (world, link) = World::start(1_790_000_000, |_| {});
    wait(async {
        let mut first = Browser::open(Look::DESKTOP).await;
        first.goto(&link).await;
        first.fill("login", "operator").await;
        first.fill("password", PASSWORD).await;
        first.click("Make the account").await;
        first.sees("Welcome, operator").await;
        first.click("make one for a colleague now").await;
        first.sees("Make an account").await;
        first.fill("new-login", "colleague").await;
        for role in ["triager", "admin"] {
            first.check(role).await;
        }
        first.click("See what this does").await;
        first.sees("account colleague").await;
        first.fill("reason", "two people are needed").await;
        first.fill_if_asked("password", PASSWORD).await;
        first.click("Make the account").await;
        first.sees("The link").await;
        let invited = first.client.find(Locator::Css(".secret code")).await.unwrap().text().await.unwrap();

        let mut second = Browser::open(Look { runs_scripts: false, ..Look::DESKTOP }).await;
        second.goto(&invited).await;
        second.fill("password", PASSWORD).await;
        second.click("Join").await;
        second.sees("Second factor").await;
        second.click("Queue").await;
        second.sees("Nothing is here.").await;
        second.close().await;
        first.close().await;
    });
    drop(world);
}

pub(crate) async fn sign_in(world: &World, login: &str, look: Look) -> Browser {
    let mut browser = Browser::open(look).await;
    browser.goto(&format!("http://{}/console/queue", world.address)).await;
    browser.fill("login", login).await;
    browser.fill("password", PASSWORD).await;
    browser.click("Sign in").await;
    browser.sees("Queue").await;
    browser.clicks = 0;
    browser
}

/// From the queue to a contained attack, by two people; with scripts and without, on a desktop and on a phone.
pub(crate) fn arrayref() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../incidents");
    for look in [Look::DESKTOP, Look { is_phone: true, is_dark: true, runs_scripts: false }] {
        let stage = Stage::over(&root.join("arrayref"));
        let world = &stage.world;
        wait(async {
            let mut first = sign_in(world, "operator", look).await;
            first.click("arrayref 0.3.10").await;
            first.sees("newborn-dependency").await;
            first.click("Quarantine the crate").await;
            first.fill("reason", "the account was taken over").await;
            first.click("Hold").await;
            first.sees("not confirmed yet").await;
            first.click("Roll back yanks").await;
            first.sees("0.3.9").await;
            first.fill("reason", "the account was taken over").await;
            first.click("Roll back yanks").await;
            first.sees("Done. The audit log has an entry.").await;
            first.click("Advisory").await;
            first.sees("Advisory for arrayref").await;
            println!("first person: {} clicks", first.clicks);
            assert!(first.clicks <= CLICKS, "{} clicks", first.clicks);
            first.close().await;

            let mut second = sign_in(world, "colleague", look).await;
            second.click("Approvals 1").await;
            second.sees("hold arrayref").await;
            second.click("Confirm").await;
            second.sees("Everything is confirmed").await;
            second.goto(&format!("http://{}/console/audit-log", world.address)).await;
            second.click("Verify the whole log").await;
            second.sees("The log is whole").await;
            println!("second person: {} clicks", second.clicks);
            assert!(second.clicks <= CLICKS, "{} clicks", second.clicks);
            second.close().await;
        });
    }
}
