//! Bodies at random, and real ones that were damaged: whatever they are, reading them ends.

use proptest::prelude::*;

use super::read;

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "S",
        "T",
        "self",
        "Self",
        "x",
        "1",
        "2.0",
        "'c'",
        "\"s\"",
        "+",
        "-",
        "*",
        "&",
        "&mut",
        "!",
        "=",
        "==",
        "<<",
        "..",
        "..=",
        "?",
        ".",
        ".",
        "::",
        ",",
        ";",
        ";",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "|",
        "||",
        "=>",
        "->",
        "<",
        ">",
        "let",
        "if",
        "else",
        "match",
        "loop",
        "while",
        "for",
        "in",
        "break",
        "return",
        "async",
        "await",
        "move",
        "unsafe",
        "fn",
        "impl",
        "struct",
        "use",
        "go",
        "m!",
        "#[cfg(a)]",
        "as",
        "u8",
        "dyn",
        "Go",
        "_",
        "where",
        "static",
        "const",
        "'l:",
        ":",
        "Some",
        "Vec",
    ])
}

const AROUND: &str = "pub struct S { a: T } pub struct T; pub trait Go { type A; fn go(&self) -> Self::A; }
    impl Go for S { type A = T; fn go(&self) -> T { T } } impl<X: Go> Go for Vec<X> { type A = X; fn go(&self) -> X { loop {} } }
    macro_rules! m { ($($t:tt)*) => { { let x = S { a: T }; $($t)* } } }\n";

/// A body with a bit of everything.
const REAL: &str = "fn b<X: Go<A = S>>(x: X, all: Vec<S>, mut one: Option<S>) -> Result<T, S> {
    let first = x.go(); let S { a } = first; let found = all.into_iter().map(|it| it.go()).collect::<Vec<_>>();
    let Some(s) = one.as_ref() else { return Err(S { a }) }; m!(x.go(); 1);
    match (s.go(), &found[..]) { (T, [.., last]) if last.go() == 1 => Ok(T), (t @ T, _) => { for i in 0..2 { t.a; } Ok(t) } }
}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_tokens_are_read(tokens in prop::collection::vec(token(), 0..60)) {
        let text = format!("{AROUND} impl S {{ fn b(&self, x: Vec<S>) -> T {{ {} }} }}", tokens.join(" "));
        read(&[("demo", &text)]);
    }

    #[test]
    fn damaged_bodies_are_read(cuts in prop::collection::vec((0..REAL.len(), token()), 1..8)) {
        let mut text = REAL.to_owned();
        for (at, token) in cuts {
            let at = at.min(text.len());
            let end = (at + 3).min(text.len());
            text.replace_range(at..end, &format!(" {token} "));
        }
        read(&[("demo", &format!("{AROUND}{text}"))]);
    }
}

#[test]
fn long_chains_end() {
    let links = ".go()".repeat(2_000);
    let sums = " + x".repeat(2_000);
    let nested = "Vec<".repeat(200) + "S" + &">".repeat(200);
    for body in [format!("x{links};"), format!("x{sums};"), format!("let y: {nested} = x; y.go();")] {
        read(&[("demo", &format!("{AROUND} fn b(x: Vec<S>) {{ {body} }}"))]);
    }
}
