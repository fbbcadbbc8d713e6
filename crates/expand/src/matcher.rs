//! The left side of a rule, as a small program, and the machine that runs it over arguments.
//!
//! All ways to match go forward together, token by token; a way is a place in the program and a list of what happened on
//! it, shared with the ways that it parted from. So a repetition costs what its tokens cost, however it ends. Where the
//! compiler would call a call ambiguous, the first way wins here.

use crate::fragment::{self, Fragment, Specifier, Steps};
use crate::tokens::Tokens;
use crate::{ExpandError, Limits};

/// An instruction. Numbers are places in the program, unless they say otherwise.
#[derive(Debug, Clone)]
pub(crate) enum Instruction {
    /// This token, operators as a whole.
    Token(Box<str>),
    /// `$crate`.
    Crate,
    Fragment {
        variable: u32,
        specifier: Specifier,
    },
    /// Before a repetition, whose body follows.
    Enter {
        repetition: u32,
        after: u32,
        may_be_empty: bool,
    },
    /// Behind the body of a repetition. With a separator, that is the next instruction.
    Again {
        repetition: u32,
        start: u32,
        next: Next,
        after: u32,
    },
    Separator {
        token: Box<str>,
        start: u32,
    },
    Accept,
}

/// What may follow a repetition's body, other than what follows the repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Nothing,
    Body,
    Separator,
}

/// A variable of a matcher.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: Box<str>,
    /// Number of repetitions around it.
    pub(crate) depth: u32,
}

/// The left side of a rule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matcher {
    pub(crate) program: Vec<Instruction>,
    pub(crate) variables: Vec<Variable>,
    /// The variables inside each repetition, in repetitions inside it as well.
    pub(crate) repetitions: Vec<Vec<u32>>,
}

/// What a variable stands for.
#[derive(Debug)]
pub(crate) enum Binding {
    One(Fragment),
    Many(Vec<Binding>),
}

#[derive(Clone, Copy)]
enum Event {
    Bind { variable: u32, fragment: Fragment },
    Begin { repetition: u32 },
    End { repetition: u32 },
}

/// No event before.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Way {
    place: u32,
    /// The last event on it.
    event: u32,
}

/// What the machine keeps between tokens. The rules of a definition use it one after the other: most are tried in vain, and
/// would cost more to make room for than to run.
#[derive(Default)]
pub(crate) struct Room {
    /// Events, each with the one before it.
    events: Vec<(Event, u32)>,
    /// For each place of the program, the round in which a way reached it.
    reached: Vec<u32>,
    round: u32,
    stack: Vec<Way>,
    /// The ways of this round that wait for a token or fragment, or have come to the end.
    waiting: Vec<Way>,
    /// The ways that go on behind the token.
    ways: Vec<Way>,
}

impl Room {
    fn clear(&mut self, places: usize) {
        self.events.clear();
        self.reached.clear();
        self.reached.resize(places, 0);
        self.round = 0;
        self.stack.clear();
        self.waiting.clear();
        self.ways.clear();
    }
}

struct Machine<'m> {
    matcher: &'m Matcher,
    room: &'m mut Room,
}

impl Matcher {
    /// What the variables stand for if the arguments match.
    pub(crate) fn run(
        &self,
        room: &mut Room,
        tokens: &Tokens<'_>,
        crate_root: &str,
        limits: &Limits,
        steps: &mut Steps,
    ) -> Result<Option<Vec<Binding>>, ExpandError> {
        room.clear(self.program.len());
        room.ways.push(Way { place: 0, event: NONE });
        let mut machine = Machine { matcher: self, room };
        let mut at = 0;
        // Fragments that took nothing since the last token: more than the program is long go round in a circle.
        let mut idle = 0;
        loop {
            machine.advance(steps)?;
            if at >= tokens.len()
                && let Some(way) = machine.accepted()
            {
                return machine.bindings(way.event, steps).map(Some);
            }
            let end = machine.after_token(tokens, at, crate_root);
            let end = match end {
                Some(end) => end,
                None => match machine.after_fragment(tokens, at, limits, steps)? {
                    Some(end) => end,
                    None => return Ok(None),
                },
            };
            idle = if end > at { 0 } else { idle + 1 };
            if idle > self.program.len() {
                return Ok(None);
            }
            at = end;
        }
    }
}

impl Machine<'_> {
    /// Moves the ways to where they wait.
    fn advance(&mut self, steps: &mut Steps) -> Result<(), ExpandError> {
        let room = &mut *self.room;
        room.round += 1;
        room.waiting.clear();
        room.stack.extend(room.ways.drain(..).rev());
        while let Some(way) = self.room.stack.pop() {
            let place = way.place as usize;
            if self.room.reached[place] == self.room.round {
                continue;
            }
            self.room.reached[place] = self.room.round;
            steps.take(1)?;
            match self.matcher.program[place] {
                Instruction::Enter { repetition, after, may_be_empty } => {
                    let begun = self.event(Event::Begin { repetition }, way.event);
                    if may_be_empty {
                        let event = self.event(Event::End { repetition }, begun);
                        self.room.stack.push(Way { place: after, event });
                    }
                    self.room.stack.push(Way { place: way.place + 1, event: begun });
                }
                Instruction::Again { repetition, start, next, after } => {
                    let event = self.event(Event::End { repetition }, way.event);
                    self.room.stack.push(Way { place: after, event });
                    match next {
                        Next::Nothing => {}
                        Next::Body => self.room.stack.push(Way { place: start, event: way.event }),
                        Next::Separator => {
                            self.room.stack.push(Way { place: way.place + 1, event: way.event });
                        }
                    }
                }
                _ => self.room.waiting.push(way),
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event, before: u32) -> u32 {
        self.room.events.push((event, before));
        self.room.events.len() as u32 - 1
    }

    fn accepted(&self) -> Option<Way> {
        let accepts = |way: &&Way| matches!(self.matcher.program[way.place as usize], Instruction::Accept);
        self.room.waiting.iter().find(accepts).copied()
    }

    /// Follows the ways that wait for the token at `at`, if any do.
    fn after_token(&mut self, tokens: &Tokens<'_>, at: usize, crate_root: &str) -> Option<usize> {
        if at >= tokens.len() || tokens.after_group(at).is_some() {
            return None;
        }
        let end = at + tokens.operator_length(at);
        let text = tokens.text(at, end);
        let Room { waiting, ways, .. } = &mut *self.room;
        for way in waiting {
            let (expected, place) = match &self.matcher.program[way.place as usize] {
                Instruction::Token(token) => (&**token, way.place + 1),
                Instruction::Crate => (crate_root, way.place + 1),
                Instruction::Separator { token, start } => (&**token, *start),
                _ => continue,
            };
            if expected == text {
                ways.push(Way { place, event: way.event });
            }
        }
        (!ways.is_empty()).then_some(end)
    }

    /// Follows the first way that waits for a fragment and finds it.
    fn after_fragment(
        &mut self,
        tokens: &Tokens<'_>,
        at: usize,
        limits: &Limits,
        steps: &mut Steps,
    ) -> Result<Option<usize>, ExpandError> {
        for index in 0..self.room.waiting.len() {
            let way = self.room.waiting[index];
            let Instruction::Fragment { variable, specifier } = self.matcher.program[way.place as usize]
            else {
                continue;
            };
            if let Some(fragment) = fragment::take(specifier, tokens, at, limits, steps)? {
                let event = self.event(Event::Bind { variable, fragment }, way.event);
                self.room.ways.push(Way { place: way.place + 1, event });
                return Ok(Some(fragment.end as usize));
            }
        }
        Ok(None)
    }

    /// The events up to `last` as values of the variables.
    fn bindings(&self, last: u32, steps: &mut Steps) -> Result<Vec<Binding>, ExpandError> {
        let mut path = Vec::new();
        let mut next = last;
        while let Some((event, before)) = self.room.events.get(next as usize) {
            path.push(*event);
            next = *before;
        }
        // For each variable, the lists that are open around it. None of them is ever missing: repetitions begin and
        // end in pairs.
        let mut open: Vec<Vec<Vec<Binding>>> =
            self.matcher.variables.iter().map(|_| vec![Vec::new()]).collect();
        for event in path.into_iter().rev() {
            match event {
                Event::Bind { variable, fragment } => {
                    add(&mut open[variable as usize], Binding::One(fragment));
                }
                Event::Begin { repetition } => {
                    let inside = &self.matcher.repetitions[repetition as usize];
                    steps.take(inside.len())?;
                    inside.iter().for_each(|variable| open[*variable as usize].push(Vec::new()));
                }
                Event::End { repetition } => {
                    for variable in &self.matcher.repetitions[repetition as usize] {
                        let lists = &mut open[*variable as usize];
                        let list = lists.pop().unwrap_or_default();
                        add(lists, Binding::Many(list));
                    }
                }
            }
        }
        let outermost = |mut lists: Vec<Vec<Binding>>| lists.pop().and_then(|mut list| list.pop());
        Ok(open.into_iter().map(|lists| outermost(lists).unwrap_or(Binding::Many(Vec::new()))).collect())
    }
}

fn add(lists: &mut [Vec<Binding>], binding: Binding) {
    if let Some(list) = lists.last_mut() {
        list.push(binding);
    }
}
