//! Uploads that take their time, and whoever else wants to publish.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::publishing::{archive, metadata, publish, publish_body};
use crate::world::World;

/// More than there are places for publishing.
const SLOW: usize = 6;

/// One account that sends slowly, by several tokens, keeps no other from publishing.
pub(crate) fn slow_uploads() -> bool {
    let world = World::open(1_790_000_000, |_| {});
    let token = |login: &str| {
        let asked =
            json!({ "user": login, "name": "a token", "scopes": ["publish-new"], "reason": "a test" });
        world.administer("POST", "/admin/v1/tokens", &asked)["secret"].as_str().unwrap().to_owned()
    };
    for login in ["slow", "quick"] {
        world.administer(
            "POST",
            "/admin/v1/users",
            &json!({ "login": login, "roles": [], "reason": "a test" }),
        );
    }
    let slow: Vec<_> = (0..SLOW)
        .map(|number| {
            let (token, name) = (token("slow"), format!("slow-{number}"));
            let body = publish_body(&metadata(&name, "1.0.0"), &archive(&name, "1.0.0", ""));
            let mut stream = TcpStream::connect(&world.address).unwrap();
            let head = format!(
                "PUT /api/v1/crates/new HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {token}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body[..10]).unwrap();
            (stream, body)
        })
        .collect();
    // Until they have what they can have; too short a wait makes nothing fail.
    std::thread::sleep(Duration::from_millis(500));
    let answer =
        publish(&world, &token("quick"), &metadata("quick", "1.0.0"), &archive("quick", "1.0.0", ""));
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Those who were slow are still waited for.
    for (mut stream, body) in slow {
        stream.write_all(&body[10..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    true
}
