//! A progress bar for a person who waits; silence otherwise.

use std::sync::Mutex;
use std::time::Duration;

use cratekeeper_engine::{NoProgress, Progress, Stage};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error, if a person watches it and wants it.
pub(crate) fn watched(quiet: bool) -> Box<dyn Progress> {
    if quiet || !crate::output::is_watched() { Box::new(NoProgress) } else { Box::new(Bar::default()) }
}

/// A bar for so many steps of one kind, which draws nothing where nobody watches or wants it.
pub(crate) fn counted(quiet: bool, verb: &'static str, steps: usize) -> ProgressBar {
    if quiet || !crate::output::is_watched() { ProgressBar::hidden() } else { bar(verb, steps) }
}

fn bar(verb: &'static str, steps: usize) -> ProgressBar {
    let template = "{prefix:>12} [{bar:27}] {pos}/{len} {wide_msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(steps as u64).with_style(style.progress_chars("=> ")).with_prefix(verb);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

#[derive(Default)]
struct Bar {
    current: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        act(&mut self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn begin(&self, stage: Stage, steps: usize) {
        let verb = match stage {
            Stage::Fetch => "Fetching",
            Stage::Analyze => "Checking",
            Stage::Graph => "Reading",
        };
        let bar = bar(verb, steps);
        self.with(|current| *current = Some(bar));
    }

    fn step(&self, package: &str) {
        self.with(|current| {
            if let Some(bar) = current {
                bar.set_message(package.to_owned());
                bar.inc(1);
            }
        });
    }

    fn end(&self) {
        self.with(|current| {
            if let Some(bar) = current.take() {
                bar.finish_and_clear();
            }
        });
    }
}
