//! Prints changelogs in colours.

/// A heading and its lines.
pub fn print(heading: &str, lines: &[&str]) {
    println!("\x1b[1m{heading}\x1b[0m");
    for line in lines {
        println!("  - {line}");
    }
}
