//! Closures belong to the function that they are written in.

use crate::methods::{Engine, Wheel};

pub fn written_here(numbers: &[u32]) -> u32 {
    let add = |number: u32| helper(number) + 1;
    let nested = |number| (|| add(number))();
    numbers.iter().map(|it| nested(*it)).sum()
}

fn helper(number: u32) -> u32 {
    number
}

pub fn captured(engine: &Engine) -> impl Fn() -> u32 + '_ {
    move || engine.start()
}

pub fn called_elsewhere(engine: &Engine) -> u32 {
    captured(engine)() + apply(|| engine.start()) + apply_object(&|| Wheel.turn())
}

fn apply<F: FnOnce() -> u32>(action: F) -> u32 {
    action()
}

fn apply_object(action: &dyn Fn() -> u32) -> u32 {
    action()
}

pub fn returned() -> Box<dyn Fn(u32) -> u32> {
    Box::new(|number| helper(number))
}

pub fn typed_parameter() -> u32 {
    let start = |engine: &Engine| engine.start();
    start(&Engine::standard())
}

pub fn sorted(engines: &mut Vec<Engine>) {
    engines.sort_by(|left, right| left.start().cmp(&right.start()));
    engines.sort_by_key(|it| it.start());
    engines.retain(|it| it.start() > 0);
}
