//! Runs packages in the order of their dependencies on several threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};

use cratekeeper_model::DependencyKind;

use super::packages::Unit;
use super::{ReadPackage, Run};
use crate::progress::Progress;

/// How many packages may wait to be stored: more would keep graphs in memory that the disk is slower for.
const WAITING: usize = 16;

/// What the threads share.
struct Queue {
    ready: VecDeque<usize>,
    /// By unit: dependencies that are not read yet.
    open: Vec<usize>,
    /// By unit: nobody has to read it any more.
    begun: Vec<bool>,
    /// Units that are not begun.
    left: usize,
    /// Units that are being read.
    reading: usize,
}

/// Which units wait for which.
struct Order {
    open: Vec<usize>,
    dependents: Vec<Vec<usize>>,
}

/// What was built before must be read before; dev-dependencies may depend back, so they do not count, and members come last of
/// what they need for their tests as well as may be.
fn order(units: &[Unit], needed: &[bool]) -> Order {
    let mut open = vec![0; units.len()];
    let mut dependents = vec![Vec::new(); units.len()];
    for (number, unit) in units.iter().enumerate() {
        for dependency in &unit.dependencies {
            let back = units[dependency.unit].is_member;
            let counts = needed[dependency.unit] && (dependency.kind != DependencyKind::Dev || !back);
            if counts && dependency.unit != number && !dependents[dependency.unit].contains(&number) {
                dependents[dependency.unit].push(number);
                open[number] += 1;
            }
        }
    }
    Order { open, dependents }
}

impl Run<'_> {
    /// Reads the units that are `needed` and hands each to `store`, on the calling thread, in the order in which they are
    /// finished. The first error of `store` ends the run.
    pub(super) fn all<E>(
        &self,
        needed: &[bool],
        threads: usize,
        progress: &dyn Progress,
        mut store: impl FnMut(usize, ReadPackage) -> Result<(), E>,
    ) -> Result<(), E> {
        let Order { open, dependents } = order(self.units, needed);
        let ready = (0..self.units.len()).filter(|unit| needed[*unit] && open[*unit] == 0).collect();
        let begun: Vec<bool> = needed.iter().map(|it| !it).collect();
        let left = begun.iter().filter(|it| !**it).count();
        let queue = Mutex::new(Queue { ready, open, begun, left, reading: 0 });
        let changed = Condvar::new();
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                let sender = sender.clone();
                let (queue, changed, dependents) = (&queue, &changed, &dependents);
                let work = move || {
                    while let Some(unit) = next(queue, changed) {
                        let read = self.read(unit);
                        progress.step(&self.units[unit].package.name);
                        done(queue, changed, &dependents[unit]);
                        if sender.send((unit, read)).is_err() {
                            break;
                        }
                    }
                };
                // Without a thread of its own, the work is still done: by those that there are.
                if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    tracing::warn!("failed to start a thread");
                }
            }
            drop(sender);
            let mut result = Ok(());
            for (unit, read) in receiver {
                result = store(unit, read);
                if result.is_err() {
                    stop(&queue, &changed);
                    break;
                }
            }
            result
        })
    }
}

/// The next unit whose dependencies are read; `None` when there will be none.
fn next(queue: &Mutex<Queue>, changed: &Condvar) -> Option<usize> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.left == 0 {
            return None;
        }
        let ready = queue.ready.pop_front();
        // A dev-dependency that leads back through a patched registry closes a circle that cargo allows. Then nothing becomes
        // ready any more, and the first of what is left does without some of what it needs.
        let nothing_comes = ready.is_none() && queue.reading == 0;
        let unit = ready.or_else(|| queue.begun.iter().position(|it| nothing_comes && !it));
        if let Some(unit) = unit {
            queue.begun[unit] = true;
            queue.reading += 1;
            queue.left -= 1;
            if queue.left == 0 {
                changed.notify_all();
            }
            return Some(unit);
        }
        queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

fn done(queue: &Mutex<Queue>, changed: &Condvar, dependents: &[usize]) {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.reading -= 1;
    for dependent in dependents {
        queue.open[*dependent] = queue.open[*dependent].saturating_sub(1);
        if queue.open[*dependent] == 0 && !queue.begun[*dependent] {
            queue.ready.push_back(*dependent);
        }
    }
    changed.notify_all();
}

fn stop(queue: &Mutex<Queue>, changed: &Condvar) {
    queue.lock().unwrap_or_else(PoisonError::into_inner).left = 0;
    changed.notify_all();
}

/// What has to be read so that the `wanted` units are: these, and all that they depend on.
pub(super) fn needed(units: &[Unit], wanted: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut open: Vec<usize> = (0..units.len()).filter(|unit| wanted(*unit)).collect();
    let mut needed = vec![false; units.len()];
    open.iter().for_each(|unit| needed[*unit] = true);
    while let Some(unit) = open.pop() {
        for dependency in &units[unit].dependencies {
            if !std::mem::replace(&mut needed[dependency.unit], true) {
                open.push(dependency.unit);
            }
        }
    }
    needed
}

/// Removes dependencies that close a circle. Cargo refuses such circles, and hostile indexes may have them. Dev-dependencies
/// may lead back.
pub(super) fn without_circles(units: &mut [Unit]) {
    // 0: not seen, 1: on the way, 2: done.
    let mut state = vec![0_u8; units.len()];
    for start in 0..units.len() {
        let mut stack = vec![(start, 0)];
        while let Some((unit, next)) = stack.pop() {
            if next == 0 && state[unit] == 2 {
                continue;
            }
            state[unit] = 1;
            match units[unit].dependencies.get(next).map(|it| (it.unit, it.kind)) {
                None => state[unit] = 2,
                Some((_, DependencyKind::Dev)) => stack.push((unit, next + 1)),
                Some((to, _)) if state[to] == 1 => {
                    units[unit].dependencies.remove(next);
                    stack.push((unit, next));
                }
                Some((to, _)) => {
                    stack.push((unit, next + 1));
                    if state[to] == 0 {
                        stack.push((to, 0));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::packages::for_tests::{depend, unit};
    use super::*;
    use crate::facts::FactsSource;
    use crate::pool::{WorkerLimits, WorkerPool};
    use crate::progress::NoProgress;

    /// No worker is ever started: no unit here has text.
    static FACTS: LazyLock<FactsSource> = LazyLock::new(|| FactsSource {
        pool: WorkerPool::new("no-such-program".into(), WorkerLimits::default()),
        cache: None,
    });

    /// Units `0..count` without text, and dependencies `(from, to, kind)`.
    fn units(count: usize, dependencies: &[(usize, usize, DependencyKind)]) -> Vec<Unit> {
        let mut units: Vec<Unit> = (0..count).map(|it| unit(&format!("crate-{it}"), "1.0.0")).collect();
        dependencies.iter().for_each(|(from, to, kind)| depend(&mut units, *from, *to, *kind));
        units
    }

    fn run(units: &[Unit]) -> Run<'_> {
        Run::new(units, &FACTS, false).unwrap()
    }

    /// The order in which units are handed over, by so many threads.
    fn finished(units: &[Unit], threads: usize) -> Vec<usize> {
        let run = run(units);
        let mut order = Vec::new();
        let all = vec![true; units.len()];
        run.all(&all, threads, &NoProgress, |unit, _| {
            order.push(unit);
            Ok::<(), ()>(())
        })
        .unwrap();
        order
    }

    use DependencyKind::{Build, Dev, Normal};

    #[test]
    fn dependencies_are_finished_first() {
        let units = units(4, &[(0, 1, Normal), (1, 2, Build), (0, 3, Normal), (3, 2, Normal)]);
        assert_eq!(finished(&units, 1), [2, 1, 3, 0]);
        assert_eq!(finished(&units, 4).len(), 4);
    }

    #[test]
    fn circles_are_cut_where_they_close_and_nowhere_else() {
        let mut units =
            units(4, &[(0, 1, Normal), (1, 2, Build), (2, 0, Normal), (2, 3, Normal), (3, 3, Normal)]);
        without_circles(&mut units);
        let left: Vec<Vec<usize>> =
            units.iter().map(|it| it.dependencies.iter().map(|it| it.unit).collect()).collect();
        assert_eq!(left, [vec![1], vec![2], vec![3], vec![]]);
        assert_eq!(finished(&units, 2).len(), 4);
    }

    #[test]
    fn two_ways_to_one_package_are_no_circle() {
        let mut units = units(4, &[(0, 1, Normal), (0, 2, Normal), (1, 3, Normal), (2, 3, Normal)]);
        without_circles(&mut units);
        assert_eq!(units.iter().map(|it| it.dependencies.len()).sum::<usize>(), 4);
    }

    #[test]
    fn a_deep_chain_is_no_deep_recursion() {
        let chain: Vec<(usize, usize, DependencyKind)> = (0..50_000).map(|it| (it, it + 1, Normal)).collect();
        let mut units = units(50_001, &chain);
        depend(&mut units, 50_000, 0, Normal);
        without_circles(&mut units);
        assert!(units[50_000].dependencies.is_empty());
    }

    #[test]
    fn dev_dependencies_that_lead_back_do_not_hang() {
        let mut members = units(2, &[(0, 1, Dev), (1, 0, Normal)]);
        members.iter_mut().for_each(|it| it.is_member = true);
        without_circles(&mut members);
        assert_eq!(finished(&members, 2).len(), 2);
        // The other is not a member: a package of a registry, whose dependency is patched to be the member.
        let mut patched = units(3, &[(0, 1, Dev), (1, 0, Normal), (2, 1, Normal)]);
        patched[0].is_member = true;
        without_circles(&mut patched);
        assert_eq!(finished(&patched, 1), [0, 1, 2]);
        assert_eq!(finished(&patched, 2).len(), 3);
    }

    #[test]
    fn an_error_of_the_store_ends_the_run() {
        let count = 10 * WAITING;
        let units = units(count, &[]);
        let run = run(&units);
        let stored = AtomicUsize::new(0);
        let result = run.all(&vec![true; count], 4, &NoProgress, |_, _| {
            if stored.fetch_add(1, Ordering::Relaxed) == 2 { Err("the disk is full") } else { Ok(()) }
        });
        assert_eq!((result, stored.into_inner()), (Err("the disk is full"), 3));
    }

    #[test]
    fn only_what_is_needed_is_read() {
        let units = units(5, &[(0, 1, Normal), (1, 2, Normal), (3, 1, Normal)]);
        let needed = needed(&units, |it| it == 0 || it == 4);
        assert_eq!(needed, [true, true, true, false, true]);
        let mut read = Vec::new();
        let run = run(&units);
        run.all(&needed, 1, &NoProgress, |unit, _| {
            read.push(unit);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(read, [2, 4, 1, 0]);
    }
}
