//! Workers, kept for the next package and ended when one goes wrong.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::worker::{Reply, Request, WORKER_ARGUMENT, read_message, write_message};

/// How much one package may cost.
#[derive(Debug, Clone)]
pub struct WorkerLimits {
    /// Time for one package. The largest of 300 real crates takes 2 s in a release build; this leaves room for slow
    /// machines and for crates ten times as large.
    pub deadline: Duration,
    /// Address space of a worker in bytes. The largest of 300 real crates needs below 500 MB.
    pub memory: u64,
}

impl Default for WorkerLimits {
    fn default() -> WorkerLimits {
        WorkerLimits { deadline: Duration::from_secs(60), memory: 3 << 30 }
    }
}

/// Why a package was not analysed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The program could not be started again.
    #[error("failed to start an analysis worker `{program}`")]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It took longer than the deadline and was ended.
    #[error("analysis took longer than {} s and was ended", .0.as_secs_f32())]
    Deadline(Duration),
    /// The worker ended by itself.
    #[error("analysis ended unexpectedly: {status}{}", message(.stderr))]
    Died {
        /// How it ended.
        status: String,
        /// Last line that it wrote about it.
        stderr: String,
    },
    /// The worker sent something that is not an answer.
    #[error("analysis gave an answer that cannot be read: {0}")]
    Answer(String),
}

fn message(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(" ({stderr})") }
}

/// Starts workers as they are needed, and gives each request one of its own.
#[derive(Debug)]
pub struct WorkerPool {
    program: PathBuf,
    arguments: Vec<String>,
    limits: WorkerLimits,
    idle: Mutex<Vec<Worker>>,
}

impl WorkerPool {
    /// Workers that are this very program.
    ///
    /// # Errors
    ///
    /// When the operating system does not tell where the program is.
    pub fn of_this_program(limits: WorkerLimits) -> io::Result<WorkerPool> {
        Ok(WorkerPool::new(std::env::current_exe()?, limits))
    }

    /// Workers started from `program`, which has to call [`run`](crate::worker::run) when its first argument is
    /// [`WORKER_ARGUMENT`].
    #[must_use]
    pub fn new(program: PathBuf, limits: WorkerLimits) -> WorkerPool {
        let arguments = vec![WORKER_ARGUMENT.to_owned(), limits.memory.to_string()];
        WorkerPool { program, arguments, limits, idle: Mutex::new(Vec::new()) }
    }

    /// Has one package analysed.
    pub(crate) fn run(&self, request: &Request) -> Result<Reply, WorkerError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let is_used = idle.is_some();
        match self.run_in(idle, request) {
            // What it had kept of other packages may have been too much. Whether a package is refused must not depend on what
            // was read before it, so it gets a worker with all of its memory.
            Err(WorkerError::Died { .. }) if is_used && matches!(request, Request::Graph(_)) => {
                self.run_in(None, request)
            }
            result => result,
        }
    }

    /// Ends the workers that have nothing to do. The next request starts one, which takes some milliseconds.
    pub(crate) fn rest(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        // Outside of the lock: to end one means to wait for it.
        drop(idle);
    }

    fn run_in(&self, worker: Option<Worker>, request: &Request) -> Result<Reply, WorkerError> {
        let mut worker = match worker {
            Some(worker) => worker,
            None => Worker::start(&self.program, &self.arguments)?,
        };
        let reply = worker.ask(request, self.limits.deadline)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        Ok(reply)
    }
}

/// One process. Dropping it ends it.
#[derive(Debug)]
struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    replies: mpsc::Receiver<io::Result<Option<Vec<u8>>>>,
    stderr: Arc<Mutex<String>>,
}

impl Worker {
    fn start(program: &PathBuf, arguments: &[String]) -> Result<Worker, WorkerError> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // It needs nothing of ours: no tokens, no proxies, no paths. Windows needs its own variables to start anything.
        if cfg!(unix) {
            command.env_clear();
            command.current_dir("/");
        }
        let mut child =
            command.spawn().map_err(|source| WorkerError::Start { program: program.clone(), source })?;
        let input = child.stdin.take();
        let mut output = child.stdout.take().expect("the output was piped above");
        let errors = child.stderr.take().expect("the error stream was piped above");
        let (send, replies) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let message = read_message(&mut output);
                let last = !matches!(message, Ok(Some(_)));
                if send.send(message).is_err() || last {
                    break;
                }
            }
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&stderr);
        std::thread::spawn(move || keep_last_line(errors, &kept));
        Ok(Worker { child, input, replies, stderr })
    }

    fn ask(&mut self, request: &Request, deadline: Duration) -> Result<Reply, WorkerError> {
        let message = rmp_serde::to_vec(request).map_err(|error| WorkerError::Answer(error.to_string()))?;
        let sent = self.input.as_mut().map(|input| write_message(input, &message));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.died());
        }
        match self.replies.recv_timeout(deadline) {
            Ok(Ok(Some(reply))) => {
                rmp_serde::from_slice(&reply).map_err(|error| WorkerError::Answer(error.to_string()))
            }
            Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => Err(self.died()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.died()),
            Ok(Err(error)) => Err(WorkerError::Answer(error.to_string())),
            Err(RecvTimeoutError::Timeout) => Err(WorkerError::Deadline(deadline)),
        }
    }

    fn died(&mut self) -> WorkerError {
        self.input = None;
        let status = match self.child.wait() {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        };
        // The process is gone, so its last line has been written; the thread that reads it may need a moment.
        std::thread::sleep(Duration::from_millis(20));
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone();
        WorkerError::Died { status, stderr }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be in the middle of anything; it holds nothing that would want to be put in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(6) => "it aborted, as programs do when memory or stack run out (signal 6)".to_owned(),
        Some(11) => "it crashed (signal 11)".to_owned(),
        Some(signal) => format!("signal {signal}"),
        None => status.to_string(),
    }
}

#[cfg(not(unix))]
fn describe(status: ExitStatus) -> String {
    status.to_string()
}

/// Keeps the last line of what a worker says about its own death, without what could move a cursor.
fn keep_last_line(mut errors: impl Read, kept: &Mutex<String>) {
    let mut tail = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = errors.read(&mut buffer) {
        tail.extend(&buffer[..count]);
        tail.drain(..tail.len().saturating_sub(2048));
        let text = String::from_utf8_lossy(&tail);
        // The runtime ends its messages with a hint about backtraces, which says nothing about the cause.
        let says_something = |line: &&str| !line.trim().is_empty() && !line.starts_with("note: run with");
        let line = text.lines().rfind(says_something).unwrap_or("");
        let line: String = line.chars().filter(|character| !character.is_control()).take(200).collect();
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}
