//! A way back for whoever lost every way to sign in, while the gate runs and while it does not.

use std::process::Output;

use serde_json::Value;

use crate::gate::Running;
use crate::world::World;

/// What a program said, on one of its ways out.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

impl Running {
    fn recover(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["recover", "--data", "../gate", "--public-url", &self.url];
        all.extend(arguments);
        self.world.command(&all).output().unwrap()
    }

    /// Gives the cookie of a session, if the password is right.
    fn signs_in(&self, password: &str) -> Option<String> {
        let body = format!("login=ann&password={}", password.replace(' ', "+"));
        let answer = self.ask("POST", "/console/sign-in", FORM, &body);
        let cookie = answer.head.lines().find_map(|it| it.strip_prefix("set-cookie: "))?;
        (answer.status == 303).then(|| cookie.split(';').next().unwrap().to_owned())
    }

    fn is_in(&self, cookie: &str) -> bool {
        self.ask("GET", "/console/account", &format!("cookie: {cookie}\r\n"), "").status == 200
    }
}

#[test]
fn an_account_is_given_back_from_the_machine() {
    let gate = Running::start(World::new(), &[]);
    let token = gate.set_up();
    let before = gate.signs_in("correct horse battery").unwrap();
    assert!(gate.is_in(&before));

    // Without a reason, or for nobody, nothing happens.
    let mute = gate.recover(&["ann", "--reason", " "]);
    assert!(!mute.status.success() && text(&mute.stderr).contains("--reason"), "{}", text(&mute.stderr));
    let nobody = gate.recover(&["bob", "--reason", "a test"]);
    assert!(text(&nobody.stderr).contains("admins are ann"), "{}", text(&nobody.stderr));
    assert!(gate.is_in(&before));

    let first = gate.recover(&["ann", "--reason", "the phone is in the lake"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let recovered = gate.recover(&["ANN", "--admin", "--reason", "the phone is in the lake"]);
    assert!(recovered.status.success(), "{}", text(&recovered.stderr));
    assert!(!gate.is_in(&before), "its sessions ended");
    assert!(gate.signs_in("correct horse battery").is_none(), "its password is gone");
    let link = |output: &Output| {
        let said = text(&output.stdout);
        let line = said.lines().find(|it| it.contains("/console/join/")).unwrap().trim().to_owned();
        assert!(!text(&output.stderr).contains("/console/join/"), "the link is in no log");
        line.strip_prefix(&gate.url).unwrap().split('?').next().unwrap().to_owned()
    };
    let body = "login=ann&password=another+horse+battery";
    let old = gate.ask("POST", &link(&first), FORM, body);
    assert_eq!(old.status, 400, "the link before is worth nothing: {}", old.body);
    let joined = gate.ask("POST", &link(&recovered), FORM, body);
    assert_eq!(joined.status, 303, "{}", joined.body);
    assert!(gate.signs_in("another horse battery").is_some());
    let again = gate.ask("POST", &link(&recovered), FORM, body);
    assert_eq!(again.status, 400, "it works once: {}", again.body);

    let header = format!("authorization: {token}\r\n");
    let entries = gate.ask("GET", "/admin/v1/audit-log?action=user.recover", &header, "");
    let entries: Value = serde_json::from_str(&entries.body).unwrap();
    let entry = &entries["entries"][0];
    assert_eq!(
        (entry["actor"].as_str(), entry["object"].as_str()),
        (Some("(machine)"), Some("ann")),
        "{entry:#}"
    );
    assert_eq!(entry["detail"]["reason"], "the phone is in the lake");
    assert!(!entry.to_string().contains("/console/join/"), "{entry:#}");
    let verified = gate.world.command(&["audit-log", "verify", "--data", "../gate"]).output().unwrap();
    assert!(verified.status.success(), "{}", text(&verified.stdout));
}

#[test]
fn nobody_is_given_back_where_there_is_no_gate() {
    let world = World::new();
    let output =
        world.command(&["recover", "ann", "--reason", "a test", "--data", "../nowhere"]).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("--data"), "{}", text(&output.stderr));
    assert!(!world.path("nowhere").exists());
}
