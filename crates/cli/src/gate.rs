//! `cratekeeper gate`: the admin API of a running gate, from the command line.

use anyhow::Context as _;
use cratekeeper_registry::{AdminClient, AdminError, CargoConfig, CargoEnvironment, Method};
use serde_json::{Value, json};

use crate::arguments::{Format, Gate, GateCommand, Global, Target, Token, User};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::output;

/// Variable with the token. There is no argument for it: arguments are seen by everybody on the machine.
const TOKEN: &str = "CRATEKEEPER_TOKEN";

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

pub(crate) fn run(arguments: &Gate, global: &Global) -> anyhow::Result<Exit> {
    let client = client(arguments)?;
    let (method, path, body) = request(&arguments.command)?;
    let answer = client.call(method, &path, &body).map_err(hinted)?;
    if global.format == Format::Json {
        output::write(|out| writeln!(out, "{answer:#}"))?;
    } else {
        output::write(|out| out.write_all(human(&arguments.command, &answer).as_bytes()))?;
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
        GateCommand::Undo { decision, reason } => {
            (Method::Post, format!("/admin/v1/decisions/{decision}/undo"), json!({ "reason": reason }))
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
        GateCommand::User(User::Create { login, roles }) => {
            (Method::Post, "/admin/v1/users".to_owned(), json!({ "login": login, "roles": roles }))
        }
        GateCommand::User(User::Disable { login, reason }) => {
            (Method::Post, format!("/admin/v1/users/{}/disable", escaped(login)), json!({ "reason": reason }))
        }
        GateCommand::Token(Token::Create { user, name, scopes, crates, expires }) => {
            let expires_in = expires.map(|days| days.saturating_mul(DAY));
            let body = json!({ "user": user, "name": name, "scopes": scopes, "crates": crates, "expires_in": expires_in });
            (Method::Post, "/admin/v1/tokens".to_owned(), body)
        }
        GateCommand::Token(Token::Revoke { id }) => (Method::Delete, format!("/admin/v1/tokens/{id}"), none),
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
    match command {
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
        GateCommand::RollbackYanks { .. } => {
            let count = answer["versions"].as_array().map_or(0, Vec::len);
            format!("{count} versions are available again\n{}", rows("versions", &["crate", "version"]))
        }
        GateCommand::PassOnYanks { .. } => rows("versions", &["crate", "version", "yanked"]),
        GateCommand::Recall { .. } => {
            let count = answer["fetches"].as_array().map_or(0, Vec::len);
            let whole = if answer["complete"].as_bool() == Some(true) { "" } else { " (there are more)" };
            format!("{count} fetches{whole}\n{}", rows("fetches", &["at", "login", "address", "client"]))
        }
        GateCommand::Token(Token::Create { .. }) => format!("{}\n", text(&answer["secret"])),
        GateCommand::Token(Token::Revoke { .. }) => "revoked\n".to_owned(),
        GateCommand::User(_) => format!("{}\n", text(&answer["user"]["login"])),
        GateCommand::Accept { krate } => format!("you own `{krate}` now\n"),
    }
}
