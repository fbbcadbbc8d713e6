//! `cratekeeper gate`: the admin API of a running gate, from the command line.

use anyhow::Context as _;
use cratekeeper_registry::{AdminClient, AdminError, CargoConfig, CargoEnvironment, Method};
use serde_json::{Value, json};

use crate::arguments::{
    Format, Gate, GateCommand, GatePolicy, Global, Target, Token, User, Versions, Webhook,
};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::output;

/// Variable with the token. There is no argument for it: arguments are seen by everybody on the machine.
const TOKEN: &str = "CRATEKEEPER_TOKEN";

/// Variable with the secret of a webhook, for the same reason.
const SECRET: &str = "CRATEKEEPER_WEBHOOK_SECRET";

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

pub(crate) fn run(arguments: &Gate, global: &Global) -> anyhow::Result<Exit> {
    let client = client(arguments)?;
    if let GateCommand::Evidence { version, registry, output, reason } = &arguments.command {
        return evidence(&client, (version, registry), output, reason, global);
    }
    let (method, path, body) = request(&arguments.command)?;
    let answer = client.call(method, &path, &body).map_err(hinted)?;
    if global.format == Format::Json {
        output::write(|out| writeln!(out, "{answer:#}"))?;
    } else {
        output::write(|out| out.write_all(human(&arguments.command, &answer).as_bytes()))?;
    }
    Ok(Exit::Clean)
}

/// Writes the archive of a version that was taken down. What looks at it further is for whoever asked: it is not opened here.
fn evidence(
    client: &AdminClient,
    (version, registry): (&str, &str),
    output: &std::path::Path,
    reason: &str,
    global: &Global,
) -> anyhow::Result<Exit> {
    let (name, number) = named(version)?;
    let shown = output.display();
    let failed = || format!("failed to write `{shown}`");
    // Before the gate is asked: a look that comes to nothing is written down all the same.
    let mut file = std::fs::File::options().write(true).create_new(true).open(output).with_context(failed)?;
    let target = json!({ "registry": registry, "crate": name, "version": number });
    let body = json!({ "target": target, "reason": reason });
    let bytes = match client.bytes("/admin/v1/evidence", &body) {
        Ok(bytes) => bytes,
        Err(error) => {
            // An empty file would be taken for evidence.
            let _ = std::fs::remove_file(output);
            return Err(hinted(error));
        }
    };
    std::io::Write::write_all(&mut file, &bytes).with_context(failed)?;
    if global.format == Format::Json {
        let written = json!({ "file": output, "bytes": bytes.len() });
        output::write(|out| writeln!(out, "{written:#}"))?;
    } else {
        output::write(|out| writeln!(out, "wrote {} bytes to {shown}", bytes.len()))?;
    }
    Ok(Exit::Clean)
}

fn client(arguments: &Gate) -> anyhow::Result<AdminClient> {
    let token = std::env::var(TOKEN).ok().filter(|it| !it.is_empty());
    let Some(token) = token else {
        let message = format!("failed to ask the gate: the variable {TOKEN} is not set");
        return Err(Hinted::message(
            message,
            "the first account's token is shown at its set-up; `gate token create` makes others",
        )
        .into());
    };
    let environment = CargoEnvironment::from_process().context("failed to find cargo's home")?;
    let config = CargoConfig::load(std::path::Path::new("/"), &environment)?;
    Ok(AdminClient::new(&arguments.url, &token, &config)?)
}

fn hinted(error: AdminError) -> anyhow::Error {
    match &error {
        AdminError::Http(http) => {
            let hint = format!(
                "{}, and that --url names the gate",
                http.hint().unwrap_or_else(|| "check that the gate runs".to_owned())
            );
            Hinted::message(format!("failed to ask the gate: {error}"), &hint).into()
        }
        AdminError::Refused { status: 401 | 403, .. } => Hinted::message(
            format!("failed: {error}"),
            "a token with the scope `administer` of somebody with the role is needed",
        )
        .into(),
        _ => anyhow::Error::new(error),
    }
}

/// What is asked for a command.
fn request(command: &GateCommand) -> anyhow::Result<(Method, String, Value)> {
    let none = Value::Null;
    Ok(match command {
        GateCommand::Status { version: None, .. } => (Method::Get, "/admin/v1/status".to_owned(), none),
        GateCommand::Status { version: Some(version), registry } => {
            let (name, number) = named(version)?;
            (
                Method::Get,
                format!("/admin/v1/versions/{}/{}/{}", escaped(registry), escaped(name), escaped(number)),
                none,
            )
        }
        GateCommand::Queue => (Method::Get, "/admin/v1/queue".to_owned(), none),
        GateCommand::Hold(target) => decision("hold", target),
        GateCommand::Release(target) => decision("release", target),
        GateCommand::Block(target) => decision("block", target),
        GateCommand::TakeDown(versions) => about_versions("take-down", versions),
        GateCommand::Restore(versions) => about_versions("restore", versions),
        GateCommand::Act { change, preview, reason } => {
            let change: Value = serde_json::from_str(change).map_err(|error| {
                let message = format!("failed to read the act: {error}");
                Hinted::message(
                    message,
                    "it is written as entries of the audit log have it in `detail.change`",
                )
            })?;
            if *preview {
                (Method::Post, "/admin/v1/preview".to_owned(), json!({ "change": change }))
            } else {
                let body = json!({ "change": change, "reason": reason });
                (Method::Post, "/admin/v1/acts".to_owned(), body)
            }
        }
        GateCommand::Yank(versions) => about_versions("yank", versions),
        GateCommand::Unyank(versions) => about_versions("unyank", versions),
        GateCommand::Evidence { .. } => unreachable!("its answer is no JSON: it is asked for by itself"),
        GateCommand::Undo { decision, reason } => {
            (Method::Post, format!("/admin/v1/decisions/{decision}/undo"), json!({ "reason": reason }))
        }
        GateCommand::Requests { request: None } => (Method::Get, "/admin/v1/requests".to_owned(), none),
        GateCommand::Requests { request: Some(request) } => {
            (Method::Get, format!("/admin/v1/requests/{request}"), none)
        }
        GateCommand::Approve { request, reason } => {
            (Method::Post, format!("/admin/v1/requests/{request}/approve"), json!({ "reason": reason }))
        }
        GateCommand::Refuse { request, reason } => {
            (Method::Post, format!("/admin/v1/requests/{request}/refuse"), json!({ "reason": reason }))
        }
        GateCommand::Confirm { decision, reason } => {
            (Method::Post, format!("/admin/v1/decisions/{decision}/confirm"), json!({ "reason": reason }))
        }
        GateCommand::Recall { version, registry, between } => {
            let (name, number) = named(version)?;
            let mut path = format!(
                "/admin/v1/recall?registry={}&crate={}&version={}",
                escaped(registry),
                escaped(name),
                escaped(number)
            );
            if let Some(between) = between {
                let (from, to) = moments(between)?;
                path.push_str(&format!("&from={from}&to={to}"));
            }
            (Method::Get, path, none)
        }
        GateCommand::Replay { since, until, policy } => {
            let policy = policy.as_deref().map(policy_text).transpose()?;
            let until = until.as_deref().map(moment).transpose()?;
            let body = json!({ "since": moment(since)?, "until": until, "policy": policy });
            (Method::Post, "/admin/v1/replay".to_owned(), body)
        }
        GateCommand::RollbackYanks { by, krate, registry, between, reason } => {
            let (from, to) = moments(between)?;
            let body = json!({ "by": by, "crate": krate, "registry": registry, "from": from, "to": to, "reason": reason });
            (Method::Post, "/admin/v1/rollback-yanks".to_owned(), body)
        }
        GateCommand::PassOnYanks { krate, registry, reason } => {
            let body = json!({ "registry": registry, "crate": krate, "reason": reason });
            (Method::Post, "/admin/v1/pass-on-yanks".to_owned(), body)
        }
        GateCommand::Accept { krate } => {
            let body = json!({ "crate_owner_invite": { "accepted": true } });
            (Method::Put, format!("/api/v1/me/crate_owner_invitations/{}", escaped(krate)), body)
        }
        GateCommand::User(User::Create { login, roles, reason }) => {
            let body = json!({ "login": login, "roles": roles, "reason": reason });
            (Method::Post, "/admin/v1/users".to_owned(), body)
        }
        GateCommand::User(User::Roles { login, roles, reason }) => {
            let body = json!({ "roles": roles, "reason": reason });
            (Method::Post, format!("/admin/v1/users/{}/roles", escaped(login)), body)
        }
        GateCommand::User(User::Disable { login, reason }) => {
            (Method::Post, format!("/admin/v1/users/{}/disable", escaped(login)), json!({ "reason": reason }))
        }
        GateCommand::User(User::Freeze { login, reason }) => {
            (Method::Post, format!("/admin/v1/users/{}/freeze", escaped(login)), json!({ "reason": reason }))
        }
        GateCommand::User(User::Unfreeze { login, reason }) => (
            Method::Post,
            format!("/admin/v1/users/{}/unfreeze", escaped(login)),
            json!({ "reason": reason }),
        ),
        GateCommand::User(User::Frozen) => (Method::Get, "/admin/v1/freezes".to_owned(), none),
        GateCommand::User(User::ConfirmFreeze { freeze, reason }) => {
            (Method::Post, format!("/admin/v1/freezes/{freeze}/confirm"), json!({ "reason": reason }))
        }
        GateCommand::NotifyOwners { target, template, text, reason } => {
            let (name, version) = match target.split_once('@') {
                Some((name, version)) => (name, Some(version)),
                None => (target.as_str(), None),
            };
            let target = json!({ "registry": "hosted", "crate": name, "version": version });
            let body = json!({ "target": target, "template": template, "text": text, "reason": reason });
            (Method::Post, "/admin/v1/notify-owners".to_owned(), body)
        }
        GateCommand::Mails => (Method::Get, "/admin/v1/mails".to_owned(), none),
        GateCommand::RetryMail { mail, reason } => {
            (Method::Post, format!("/admin/v1/mails/{mail}/retry"), json!({ "reason": reason }))
        }
        GateCommand::User(User::Enable { login, reason }) => {
            (Method::Post, format!("/admin/v1/users/{}/enable", escaped(login)), json!({ "reason": reason }))
        }
        GateCommand::Token(Token::Create { user, name, scopes, crates, expires, reason }) => {
            let expires_in = expires.map(|days| days.saturating_mul(DAY));
            let body = json!({ "user": user, "name": name, "scopes": scopes, "crates": crates, "expires_in": expires_in, "reason": reason });
            (Method::Post, "/admin/v1/tokens".to_owned(), body)
        }
        GateCommand::Token(Token::Revoke { id, reason }) => {
            (Method::Post, format!("/admin/v1/tokens/{id}/revoke"), json!({ "reason": reason }))
        }
        GateCommand::Webhook(command) => webhook(command)?,
        GateCommand::Policy(GatePolicy::Show) => (Method::Get, "/admin/v1/policy".to_owned(), Value::Null),
        GateCommand::Policy(GatePolicy::Set { file, reason }) => {
            let body = json!({ "text": policy_text(file)?, "reason": reason });
            (Method::Post, "/admin/v1/policy".to_owned(), body)
        }
        GateCommand::Policy(GatePolicy::Mode { clause, rule, mode, reason }) => {
            let body = json!({ "clause": clause, "rule": rule, "mode": mode, "reason": reason });
            (Method::Post, "/admin/v1/policy/mode".to_owned(), body)
        }
        GateCommand::Reload { reason } => {
            (Method::Post, "/admin/v1/reload".to_owned(), json!({ "reason": reason }))
        }
    })
}

fn webhook(command: &Webhook) -> anyhow::Result<(Method, String, Value)> {
    let all = "/admin/v1/webhooks";
    Ok(match command {
        Webhook::Create { address, events, reason } => {
            let secret = std::env::var(SECRET).ok().filter(|it| !it.is_empty());
            let Some(secret) = secret else {
                let message = format!("failed to add the webhook: the variable {SECRET} is not set");
                let hint = "it signs what is sent, 16 characters or more: whoever listens needs the same";
                return Err(Hinted::message(message, hint).into());
            };
            let body = json!({ "url": address, "secret": secret, "events": events, "reason": reason });
            (Method::Post, all.to_owned(), body)
        }
        Webhook::List => (Method::Get, all.to_owned(), Value::Null),
        Webhook::Disable { id, reason } => {
            (Method::Post, format!("{all}/{id}/disable"), json!({ "reason": reason }))
        }
        Webhook::Test { id, reason } => {
            (Method::Post, format!("{all}/{id}/test"), json!({ "reason": reason }))
        }
        Webhook::Deliveries { id } => (Method::Get, format!("{all}/{id}/deliveries"), Value::Null),
        Webhook::Retry { delivery, reason } => {
            (Method::Post, format!("/admin/v1/deliveries/{delivery}/retry"), json!({ "reason": reason }))
        }
    })
}

fn decision(action: &str, target: &Target) -> (Method, String, Value) {
    let (name, version) = match target.target.as_deref().map(|it| it.split_once('@').unwrap_or((it, ""))) {
        Some((name, "")) => (Some(name), None),
        Some((name, version)) => (Some(name), Some(version)),
        None => (None, None),
    };
    let body = json!({
        "target": { "registry": target.registry, "crate": name, "version": version, "publisher": target.publisher },
        "action": action,
        "enforcement": if target.hide { "hide" } else { "deny" },
        "reason": target.reason,
    });
    (Method::Post, "/admin/v1/decisions".to_owned(), body)
}

fn about_versions(act: &str, versions: &Versions) -> (Method, String, Value) {
    let (name, number) = match versions.target.split_once('@') {
        Some((name, number)) => (name, Some(number)),
        None => (versions.target.as_str(), None),
    };
    let target = json!({ "registry": versions.registry, "crate": name, "version": number });
    (Method::Post, format!("/admin/v1/{act}"), json!({ "target": target, "reason": versions.reason }))
}

fn named(text: &str) -> anyhow::Result<(&str, &str)> {
    text.split_once('@').ok_or_else(|| {
        Hinted::message(format!("failed to read `{text}`: it is no version"), "write it like serde@1.0.219")
            .into()
    })
}

/// Two moments with `..` in between, as seconds since 1970.
fn moments(text: &str) -> anyhow::Result<(i64, i64)> {
    let read = |it: &str| it.trim().parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let found = text.split_once("..").and_then(|(from, to)| Some((read(from)?, read(to)?)));
    found.filter(|(from, to)| from < to).ok_or_else(|| {
        let hint = "write it like 2026-08-20T17:00:00Z..2026-08-20T19:00:00Z, the earlier one first";
        Hinted::message(format!("failed to read `{text}`: it is no time from one moment to another"), hint)
            .into()
    })
}

/// A moment, as seconds since 1970: a time ago, a day, or a moment.
fn moment(text: &str) -> anyhow::Result<i64> {
    let text = text.trim();
    let now = jiff::Timestamp::now();
    let day = |it: jiff::civil::Date| it.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|it| it.timestamp());
    // Days of 24 hours: what is asked for is a number of hours ago, not a time of day.
    let ago = |it: jiff::Span| {
        let hours = it.total((jiff::Unit::Hour, jiff::SpanRelativeTo::days_are_24_hours())).ok()?;
        // Of half a million years nothing is recorded.
        let seconds = (0.0..1e9).contains(&hours).then_some((hours * 3600.0) as i64)?;
        now.checked_sub(jiff::SignedDuration::from_secs(seconds)).ok()
    };
    let found = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| text.parse::<jiff::civil::Date>().ok().and_then(day))
        .or_else(|| text.parse::<jiff::Span>().ok().and_then(ago));
    found.map(jiff::Timestamp::as_second).ok_or_else(|| {
        let hint = "write it like 30d, 12h, 2026-08-20, or 2026-08-20T17:00:00Z";
        Hinted::message(format!("failed to read `{text}`: it is no moment"), hint).into()
    })
}

/// The policy's text, after its mistakes were looked for here, where they can be shown with their lines.
fn policy_text(path: &std::path::Path) -> anyhow::Result<String> {
    crate::setup::read_policy(path)?;
    std::fs::read_to_string(path).with_context(|| format!("failed to read the policy `{}`", path.display()))
}

/// Text as a part of a URL (RFC 3986, unreserved characters stay).
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn human(command: &GateCommand, answer: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => cratekeeper_report::sanitize(text).into_owned(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let rows = |name: &str, columns: &[&str]| {
        let mut shown = String::new();
        for row in answer[name].as_array().into_iter().flatten() {
            let cells: Vec<String> = columns.iter().map(|it| text(&row[*it])).collect();
            shown.push_str(&cells.join("  "));
            shown.push('\n');
        }
        shown
    };
    if answer["preview"].is_object() && answer["request"].is_i64() {
        return waiting(answer, &text);
    }
    match command {
        GateCommand::Requests { request: Some(_) } => {
            let request = &answer["request"];
            let row: Vec<String> = ["id", "action", "object", "requester", "reason", "state"]
                .iter()
                .map(|it| text(&request[*it]))
                .collect();
            format!("{}\n{}", row.join("  "), previewed(&request["preview"], &text))
        }
        GateCommand::Requests { request: None } => {
            let shown = rows("requests", &["id", "action", "object", "requester", "reason"]);
            if shown.is_empty() { "nothing waits for a second person\n".to_owned() } else { shown }
        }
        GateCommand::Approve { request, .. } => {
            format!("request {request} is done\n{}", rows("versions", &["crate", "version", "state"]))
        }
        GateCommand::Refuse { request, .. } => {
            format!("request {request} is {}\n", text(&answer["request"]["state"]))
        }
        GateCommand::Confirm { decision, .. } => format!("decision {decision} is confirmed\n"),
        GateCommand::Status { version: None, .. } => {
            let mut shown = String::new();
            for (state, count) in answer["versions"].as_object().into_iter().flatten() {
                shown.push_str(&format!("{count:>8} {state}\n"));
            }
            if shown.is_empty() { "no versions yet\n".to_owned() } else { shown }
        }
        GateCommand::Status { .. } => {
            let version = &answer["version"];
            let how = &answer["provenance"];
            format!(
                "{} {}: {} ({})\nscore {}, verdict {}, clause {}\npublished by {} with {} from {}\n",
                text(&answer["crate"]["name"]),
                text(&version["version"]),
                text(&version["standing"]["state"]),
                text(&version["standing"]["reason"]),
                text(&version["score"]),
                text(&version["verdict"]),
                text(&version["clause"]),
                text(&how["publisher"]),
                text(&how["client"]),
                text(&how["address"]),
            )
        }
        GateCommand::Queue => {
            let shown = rows("versions", &["score", "state", "registry", "crate", "version", "reason"]);
            if shown.is_empty() { "nothing waits\n".to_owned() } else { shown }
        }
        GateCommand::Hold(_) | GateCommand::Release(_) | GateCommand::Block(_) | GateCommand::Undo { .. } => {
            format!(
                "decision {}\n{}",
                text(&answer["decision"]),
                rows("versions", &["crate", "version", "state"])
            )
        }
        GateCommand::TakeDown(_) | GateCommand::Restore(_) | GateCommand::Evidence { .. } => {
            rows("versions", &["crate", "version", "state"])
        }
        GateCommand::Act { preview: true, .. } => previewed(&answer["preview"], &text),
        GateCommand::Act { .. } => "done\n".to_owned(),
        GateCommand::RollbackYanks { .. } => {
            let count = answer["versions"].as_array().map_or(0, Vec::len);
            format!("{count} versions are available again\n{}", rows("versions", &["crate", "version"]))
        }
        GateCommand::PassOnYanks { .. } | GateCommand::Yank(_) | GateCommand::Unyank(_) => {
            rows("versions", &["crate", "version", "yanked"])
        }
        GateCommand::Recall { .. } => {
            let count = answer["fetches"].as_array().map_or(0, Vec::len);
            let whole = if answer["complete"].as_bool() == Some(true) { "" } else { " (there are more)" };
            format!("{count} fetches{whole}\n{}", rows("fetches", &["at", "login", "address", "client"]))
        }
        GateCommand::Replay { .. } => replayed(answer, &text),
        GateCommand::Token(Token::Create { .. }) => format!("{}\n", text(&answer["secret"])),
        GateCommand::Token(Token::Revoke { .. }) => "revoked\n".to_owned(),
        GateCommand::User(User::Frozen) => {
            let shown = rows("freezes", &["id", "login", "actor", "confirmed", "reason"]);
            if shown.is_empty() { "no account is frozen\n".to_owned() } else { shown }
        }
        GateCommand::User(User::Freeze { .. } | User::Unfreeze { .. } | User::ConfirmFreeze { .. }) => {
            format!("{}, freeze {}\n", text(&answer["user"]), text(&answer["freeze"]))
        }
        GateCommand::NotifyOwners { .. } => {
            let names = |name: &str| {
                let names: Vec<String> = answer[name].as_array().into_iter().flatten().map(&text).collect();
                if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
            };
            format!(
                "mails wait to be sent to {}\nwithout a confirmed address: {}\n",
                names("told"),
                names("not_told")
            )
        }
        GateCommand::Mails => {
            let set_up = if answer["set_up"] == true { "" } else { "mail is not set up: nothing is sent\n" };
            format!(
                "{set_up}{} waiting, {} sent, {} given up\n{}",
                text(&answer["waiting"]),
                text(&answer["sent"]),
                text(&answer["given_up"]),
                rows("mails", &["id", "state", "kind", "attempts"])
            )
        }
        GateCommand::RetryMail { .. } => format!("mail {} waits to be sent\n", text(&answer["mail"])),
        GateCommand::User(_) => format!("{}\n", text(&answer["user"]["login"])),
        GateCommand::Webhook(Webhook::List) => {
            let shown = rows("webhooks", &["id", "origin", "events", "disabled_at"]);
            if shown.is_empty() { "no webhooks\n".to_owned() } else { shown }
        }
        GateCommand::Webhook(Webhook::Deliveries { .. }) => {
            let mut shown = String::new();
            for row in answer["deliveries"].as_array().into_iter().flatten() {
                let told = &row["delivery"];
                let last = row["attempts"].as_array().and_then(|it| it.last()).unwrap_or(&Value::Null);
                shown.push_str(&format!(
                    "{}  {}  {}  {} attempts  last: {} {}\n",
                    text(&told["id"]),
                    text(&told["event"]),
                    text(&told["state"]),
                    text(&told["attempts"]),
                    text(&last["status"]),
                    text(&last["answer"]),
                ));
            }
            if shown.is_empty() { "nothing was sent yet\n".to_owned() } else { shown }
        }
        GateCommand::Webhook(Webhook::Create { .. } | Webhook::Disable { .. }) => {
            format!("webhook {}\n", text(&answer["webhook"]["id"]))
        }
        GateCommand::Webhook(Webhook::Test { .. } | Webhook::Retry { .. }) => {
            format!("delivery {}\n", text(&answer["delivery"]))
        }
        // A policy is printed as it is, to be edited and set again; it was read by the parser, which takes no control characters.
        GateCommand::Policy(GatePolicy::Show) => answer["text"].as_str().unwrap_or_default().to_owned(),
        GateCommand::Policy(_) => {
            format!("policy {}, before {}\n", text(&answer["policy"]), text(&answer["before"]))
        }
        GateCommand::Reload { .. } => {
            let reloaded = &answer["reloaded"];
            let mut shown = format!(
                "policy {}{}\n",
                text(&reloaded["policy"]),
                if reloaded["policy_changed"] == true { ", another than before" } else { ", as before" }
            );
            let list = |name: &str| {
                let keys = reloaded[name].as_array().into_iter().flatten().filter_map(Value::as_str);
                keys.collect::<Vec<_>>().join(", ")
            };
            for (name, what) in
                [("changed", "counts from now on"), ("needs_restart", "counts from the next start on")]
            {
                let keys = list(name);
                if !keys.is_empty() {
                    shown.push_str(&format!("{keys}: {what}\n"));
                }
            }
            shown
        }
        GateCommand::Accept { krate } => format!("you own `{krate}` now\n"),
    }
}

/// What an act would change.
fn previewed(preview: &Value, text: &dyn Fn(&Value) -> String) -> String {
    let mut shown = lines_of(preview, text);
    if let Some(because) = preview["second"]["because"].as_str() {
        let because = Value::from(because);
        shown.push_str(&format!("a second person has to agree, because {}\n", text(&because)));
    }
    shown
}

fn lines_of(preview: &Value, text: &dyn Fn(&Value) -> String) -> String {
    let lines = preview["lines"].as_array().into_iter().flatten();
    let line = |line: &Value| {
        format!("  {}: {} -> {}\n", text(&line["what"]), text(&line["before"]), text(&line["after"]))
    };
    lines.map(line).collect()
}

/// An act that waits for a second person.
fn waiting(answer: &Value, text: &dyn Fn(&Value) -> String) -> String {
    let preview = &answer["preview"];
    let number = text(&answer["request"]);
    let mut shown = format!(
        "nothing was changed yet: a second person has to agree, because {}\n",
        text(&preview["second"]["because"])
    );
    shown.push_str(&lines_of(preview, text));
    shown.push_str(&format!("they run: cratekeeper gate approve {number} --reason TEXT\n"));
    shown
}

/// What another policy would have done, for people.
fn replayed(answer: &Value, text: &dyn Fn(&Value) -> String) -> String {
    let number = |name: &str| answer[name].as_u64().unwrap_or(0);
    let mut shown = format!(
        "{} versions since {}: {} held or blocked then, {} by this policy\n{} fetches by {} clients would have been stopped\n",
        number("versions"),
        day(&answer["since"]),
        number("held_before"),
        number("held_after"),
        number("fetches_stopped"),
        number("clients_stopped"),
    );
    if number("not_replayed") > 0 {
        shown.push_str(&format!(
            "{} versions could not be asked about: they could not be inspected, or what was known of them was not kept\n",
            number("not_replayed")
        ));
    }
    for change in answer["changes"].as_array().into_iter().flatten() {
        let (before, after) = (&change["before"], &change["after"]);
        shown.push_str(&format!(
            "\n{} {} ({}): {} -> {}, by {}: {}\n",
            text(&change["crate"]),
            text(&change["version"]),
            text(&change["registry"]),
            text(&before["state"]),
            text(&after["state"]),
            match &after["clause"] {
                Value::Null => "no clause".to_owned(),
                clause => format!("clause {} (line {})", text(clause), text(&after["line"])),
            },
            text(&after["reason"]),
        ));
        if !change["decided"].is_null() {
            shown.push_str(&format!("  a person decided: {}\n", text(&change["decided"])));
        }
        for who in change["stopped"].as_array().into_iter().flatten() {
            let name = if who["login"].is_null() { &who["address"] } else { &who["login"] };
            shown.push_str(&format!(
                "  would have stopped {} ({}): {} fetches, first {}\n",
                text(name),
                text(&who["client"]),
                text(&who["fetches"]),
                day(&who["first"])
            ));
        }
    }
    if answer["truncated"].as_bool() == Some(true) {
        shown.push_str("\nthere are more changes; narrow --since and --until\n");
    }
    for waiver in answer["stale_waivers"].as_array().into_iter().flatten() {
        shown.push_str(&format!("note: {}\n", text(waiver)));
    }
    shown
}

/// A moment for people.
fn day(seconds: &Value) -> String {
    let moment = seconds.as_i64().and_then(|it| jiff::Timestamp::from_second(it).ok());
    moment.map_or_else(|| "-".to_owned(), |it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now = jiff::Timestamp::now().as_second();
        for (text, ago) in [("30d", 30 * DAY), ("12h", DAY / 2), ("2w", 14 * DAY), ("90 minutes", 5_400)] {
            let found = moment(text).unwrap();
            assert!((now - ago - found).abs() < 60, "{text}: {found}");
        }
        assert_eq!(moment("2026-08-20").unwrap(), 1_787_184_000);
        assert_eq!(moment("2026-08-20T17:00:00Z").unwrap(), 1_787_245_200);
        for text in ["", "soon", "-30d", "30", "9999999999d"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
