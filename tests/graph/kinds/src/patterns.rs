//! Names that patterns bind.

use crate::methods::{Car, Engine, State, Wheel};
use distant::deep::deeper::{Distant, Inner};

pub fn if_let(engine: Option<Engine>, wheel: &Option<Wheel>) -> u32 {
    if let Some(engine) = engine {
        return engine.start();
    }
    if let Some(it) = wheel
        && it.turn() > 0
    {
        return it.start();
    }
    0
}

pub fn matched(state: &State, pair: (Wheel, &Engine), result: Result<Engine, Wheel>) -> u32 {
    let first = match state {
        State::Idle(wheel) if wheel.turn() > 1 => wheel.start(),
        State::Running { engine: motor } => motor.start(),
        _ => 0,
    };
    let second = match &pair {
        (wheel, engine) => wheel.turn() + engine.start(),
    };
    match result {
        Ok(engine) => engine.start(),
        Err(wheel) => wheel.turn(),
    }
}

pub fn destructured(car: Car, distant: Distant) -> u32 {
    let Car { engine, spare, pair: (wheel, second), .. } = car;
    let Distant { inner: Inner(number), .. } = &distant;
    let Distant { inner, .. } = distant.clone();
    engine.start() + wheel.turn() + second.start() + inner.doubled() + spare.map_or(0, |it| it.turn())
}

pub fn slices(engines: &[Engine], array: [Wheel; 3]) -> u32 {
    let [first, .., last] = engines else { return 0 };
    let [wheel, rest @ ..] = &array;
    match engines {
        [] => 0,
        [one] => one.start(),
        [one, rest @ ..] => {
            one.start() + rest[0].start() + first.start() + last.start() + wheel.turn() + rest.len() as u32
        }
    }
}

pub fn let_else(engine: Option<&Engine>, text: &str) -> u32 {
    let Some(engine) = engine else { return Wheel::default().turn() };
    let Ok(distant) = Distant::parse(text) else { return engine.start() };
    distant.inner().doubled()
}

pub fn bound(engine: Option<Engine>) -> u32 {
    match engine {
        Some(ref whole @ Engine { power }) if power > 1 => whole.start(),
        Some(mut engine) => engine.tune().start(),
        None => 0,
    }
}

pub fn while_let(mut engines: Vec<Engine>) -> u32 {
    let mut sum = 0;
    while let Some(mut engine) = engines.pop() {
        sum += engine.tune().start();
    }
    sum
}

pub fn parameter((wheel, engine): (Wheel, Engine), &Inner(number): &Inner, [first, _]: [Engine; 2]) -> u32 {
    wheel.turn() + engine.start() + first.start()
}
