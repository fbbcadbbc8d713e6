//! Runs the system's git, for the one thing that we ask of it: a fresh, shallow clone.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::update::UpdateError;

/// How long a clone may take. A megabyte that needs longer than this is not coming.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How often we look whether git is done.
const POLL: Duration = Duration::from_millis(20);

/// How much of git's messages is kept, from the end: the reason for a failure comes last.
const MESSAGE_BYTES: u64 = 4096;

/// Switched off for every run. The server decides what is in the clone; none of it may be executed, and no
/// file may lead out of it.
const SAFE_SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    // The parser would cope, but the files' sizes and hashes should not depend on the platform.
    "core.autocrlf=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    // We read references from files; git 3 would put them into a table.
    "init.defaultRefFormat=files",
    // A server that stops sending fails after a minute, not after the whole timeout.
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
    "gc.auto=0",
];

/// Variables by which a surrounding git (we may run in a hook) redirects every other git to its repository.
const REDIRECTIONS: [&str; 10] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_TEMPLATE_DIR",
    "GIT_PREFIX",
];

/// How git is run.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    pub(crate) program: OsString,
    pub(crate) timeout: Duration,
    /// Further variables. The user's own configuration stays in force: it has the proxy and the keys.
    pub(crate) environment: Vec<(&'static str, &'static str)>,
}

impl Git {
    /// The git on the user's search path.
    pub(crate) fn system() -> Git {
        Git { program: "git".into(), timeout: TIMEOUT, environment: Vec::new() }
    }

    /// Clones the newest commit of `url` into `directory`, which must not exist.
    pub(crate) fn clone(&self, url: &str, directory: &Path, workplace: &Path) -> Result<(), UpdateError> {
        let mut command = self.command(workplace);
        command.args(["clone", "--quiet", "--depth", "1", "--single-branch", "--no-tags"]);
        // Without a template: those of the system may come with hooks.
        command.args(["--no-recurse-submodules", "--template=", "--"]);
        command.arg(url).arg(directory);
        self.run(command, url)
    }

    fn command(&self, workplace: &Path) -> Command {
        let mut command = Command::new(&self.program);
        for setting in SAFE_SETTINGS {
            command.args(["-c", setting]);
        }
        for variable in REDIRECTIONS {
            command.env_remove(variable);
        }
        command
            .current_dir(workplace)
            // Never look for a repository above: its configuration would apply.
            .env("GIT_CEILING_DIRECTORIES", workplace.parent().map_or(OsStr::new("/"), Path::as_os_str))
            // A password that is asked for on a terminal nobody watches is waited for forever.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_LFS_SKIP_SMUDGE", "1")
            // Messages go into errors, which are in English.
            .env("LC_ALL", "C")
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Runs to the end or the timeout. Messages go through a file: a pipe that nobody empties would block git.
    fn run(&self, mut command: Command, url: &str) -> Result<(), UpdateError> {
        let system =
            |source| UpdateError::Io { operation: "run git", path: self.program.clone().into(), source };
        let mut messages = tempfile::tempfile().map_err(system)?;
        command.stderr(messages.try_clone().map_err(system)?);
        let mut child = command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => UpdateError::GitMissing { source },
            _ => system(source),
        })?;
        let Some(status) = wait(&mut child, self.timeout).map_err(system)? else {
            return Err(UpdateError::TimedOut { url: without_credentials(url), after: self.timeout });
        };
        if status.success() {
            return Ok(());
        }
        let message = tail(&mut messages).map_err(system)?;
        let message = printable(&message).replace(url, &without_credentials(url));
        Err(UpdateError::Git { url: without_credentials(url), status, message })
    }
}

/// Waits for a process and ends it after `timeout`; `None` if that was necessary.
///
/// Git's own child that holds the connection ends when its pipe to git breaks.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= timeout {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// The end of a file.
fn tail(file: &mut std::fs::File) -> io::Result<String> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(MESSAGE_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(MESSAGE_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Text for a terminal: what a server sends must not move the cursor.
fn printable(text: &str) -> String {
    let lines = text.lines().map(|line| line.chars().filter(|it| !it.is_control()).collect::<String>());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The address without user name and password, for messages and logs.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_reach_messages() {
        for (url, expected) in [
            ("https://user:secret@git.example.invalid/db.git", "https://git.example.invalid/db.git"),
            ("https://user:p@ss@git.example.invalid", "https://git.example.invalid"),
            ("https://git.example.invalid/a@b", "https://git.example.invalid/a@b"),
            ("git@git.example.invalid:db.git", "git@git.example.invalid:db.git"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }

    #[test]
    fn messages_cannot_write_to_the_terminal() {
        assert_eq!(printable("fatal: a\u{1b}[2Jb\r\nsecond\n\n"), "fatal: a[2Jb\nsecond");
    }
}
