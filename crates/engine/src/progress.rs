//! What a run tells whoever watches it.

/// Part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding and downloading packages, and asking the index.
    Fetch,
    /// Reading packages and judging them.
    Analyze,
    /// Reading packages for their calls.
    Graph,
}

/// Receives progress, from several threads at once.
pub trait Progress: Sync {
    /// A stage begins, with this many steps.
    fn begin(&self, stage: Stage, steps: usize);
    /// One step of the current stage is done.
    fn step(&self, package: &str);
    /// The current stage is over.
    fn end(&self);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _stage: Stage, _steps: usize) {}
    fn step(&self, _package: &str) {}
    fn end(&self) {}
}
