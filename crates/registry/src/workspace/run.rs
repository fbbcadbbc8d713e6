//! Runs a command under limits of time and output.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::WorkspaceError;

/// Metadata of a thousand packages is about 15 MiB.
const MAX_OUTPUT: u64 = 512 << 20;

/// Enough for any message; the rest is read and dropped, so that cargo does not wait for us.
const MAX_MESSAGES: u64 = 64 << 10;

/// How much of cargo's message is repeated.
const SHOWN_LINES: usize = 12;
const SHOWN_CHARACTERS: usize = 1000;

/// What `command` writes to its standard output, if it succeeds.
pub(super) fn output(mut command: Command, timeout: Duration) -> Result<Vec<u8>, WorkspaceError> {
    let deadline = Instant::now() + timeout;
    let not_run = |source| WorkspaceError::NotRun { source };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(not_run)?;
    let output = read_in_background(child.stdout.take(), MAX_OUTPUT + 1);
    let messages = read_in_background(child.stderr.take(), MAX_MESSAGES);
    let left = || deadline.saturating_duration_since(Instant::now());
    let received = output.recv_timeout(left());
    let status = received.as_ref().ok().and_then(|_| wait_until(&mut child, deadline));
    let (Ok(received), Some(status)) = (received, status) else {
        // Killing fails only if it has ended in the meantime.
        let _ = child.kill();
        let _ = child.wait();
        return Err(WorkspaceError::TimedOut { after: timeout });
    };
    let output = received.map_err(not_run)?;
    if output.len() as u64 > MAX_OUTPUT {
        return Err(WorkspaceError::TooLarge { limit: MAX_OUTPUT });
    }
    if status.success() {
        return Ok(output);
    }
    let messages = messages.recv_timeout(left()).ok().and_then(Result::ok).unwrap_or_default();
    let text = String::from_utf8_lossy(&messages);
    // Cargo has no other way to say so than its text.
    let lacks_packages = text.contains("offline") || text.contains("failed to download");
    Err(WorkspaceError::Failed { message: shorten(&text), lacks_packages })
}

/// Reads at most `limit` bytes on a thread of its own; the thread drops what comes after.
fn read_in_background(
    from: Option<impl Read + Send + 'static>,
    limit: u64,
) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(mut from) = from else { return };
        let mut bytes = Vec::new();
        let result = from.by_ref().take(limit).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more after a timeout.
        let _ = sender.send(result);
        let _ = io::copy(&mut from, &mut io::sink());
    });
    receiver
}

fn wait_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

/// The beginning of cargo's error, fit for one paragraph. It quotes the tree, so control characters, which
/// could rewrite the user's terminal, are escaped.
fn shorten(text: &str) -> String {
    let start = text.find("error: ").map_or(0, |at| at + "error: ".len());
    let lines = text[start..].lines().map(str::trim).filter(|line| !line.is_empty());
    let joined = lines.take(SHOWN_LINES).collect::<Vec<_>>().join("; ");
    let mut shown = String::new();
    for character in joined.chars().take(SHOWN_CHARACTERS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Duration) -> Result<Vec<u8>, WorkspaceError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        output(command, timeout)
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let start = Instant::now();
        let error = shell("exec sleep 60", Duration::from_millis(100)).unwrap_err();
        assert!(matches!(error, WorkspaceError::TimedOut { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn many_messages_do_not_block_the_command() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; echo done";
        assert_eq!(shell(script, Duration::from_secs(20)).unwrap(), b"done\n");
    }

    #[test]
    fn errors_are_shortened_and_harmless_on_a_terminal() {
        let error = shell(
            "printf 'warning: x\\nerror: no \\033[2J way\\n\\n  because\\n' >&2; exit 101",
            Duration::from_secs(20),
        );
        assert_eq!(error.unwrap_err().to_string(), "`cargo metadata` failed: no \\u{1b}[2J way; because");
    }
}
