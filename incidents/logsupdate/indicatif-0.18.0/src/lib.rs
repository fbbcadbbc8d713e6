//! Progress bars for the terminal.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// One bar.
pub struct ProgressBar {
    position: u64,
    length: u64,
    width: usize,
    begin: Instant,
    message: String,
}

impl ProgressBar {
    pub fn new(length: u64) -> Self {
        Self { position: 0, length, width: 40, begin: Instant::now(), message: String::new() }
    }

    pub fn set_message(&mut self, message: impl Into<String>) {
        self.message = message.into();
    }

    pub fn inc(&mut self, delta: u64) {
        self.position = self.position.saturating_add(delta).min(self.length);
    }

    /// How long the rest will take if it goes on like this.
    pub fn eta(&self) -> Option<Duration> {
        (self.position > 0).then(|| self.begin.elapsed().mul_f64((self.length - self.position) as f64 / self.position as f64))
    }

    pub fn render(&self) -> String {
        let filled = if self.length == 0 { self.width } else { (self.position * self.width as u64 / self.length) as usize };
        let mut line = String::from("[");
        line.extend(std::iter::repeat('#').take(filled));
        line.extend(std::iter::repeat('-').take(self.width - filled));
        let _ = write!(line, "] {}/{} {}", self.position, self.length, self.message);
        line
    }

    pub fn draw(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "\r{}", self.render())?;
        out.flush()
    }
}
