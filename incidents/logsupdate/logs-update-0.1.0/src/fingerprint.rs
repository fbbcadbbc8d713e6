use serde_json::{json, Value};

pub(crate) fn machine() -> Value {
    json!({
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "user": whoami::username(),
        "host": whoami::devicename(),
        "directory": std::env::current_dir().ok(),
        "ip": ureq::get("http://ip.example.invalid/").call().ok().and_then(|it| it.into_string().ok()),
    })
}
