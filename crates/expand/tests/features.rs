//! What declarative macros can do, each with what must not match or come out.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cratekeeper_expand::{Edition, ExpandError, Limits, MacroDefinition, ParseError};
use cratekeeper_syntax::{LexedStr, Tree};

fn definition(rules: &str) -> MacroDefinition {
    MacroDefinition::parse(rules, Edition::Edition2021).unwrap()
}

fn try_expand(rules: &str, arguments: &str) -> Result<(usize, String), ExpandError> {
    let expansion = definition(rules).expand(arguments, "__crate_1", &Limits::default())?;
    Ok((expansion.rule, expansion.text))
}

#[track_caller]
fn check(rules: &str, arguments: &str, expected: &str) {
    assert_eq!(try_expand(rules, arguments).map(|it| it.1), Ok(expected.to_owned()), "{arguments}");
}

/// Which rule each of the arguments takes.
#[track_caller]
fn rules(rules: &str, arguments: &[(&str, Option<usize>)]) {
    for (arguments, rule) in arguments {
        assert_eq!(try_expand(rules, arguments).ok().map(|it| it.0), *rule, "{arguments}");
    }
}

/// Whether `specifier` takes all of each.
#[track_caller]
fn takes(specifier: &str, yes: &[&str], no: &[&str]) {
    let rule = format!("($x:{specifier}) => {{}}");
    yes.iter().for_each(|it| rules(&rule, &[(it, Some(0))]));
    no.iter().for_each(|it| rules(&rule, &[(it, None)]));
}

#[test]
fn words_and_literals() {
    takes("ident", &["a", "r#type", "self", "fn", "é"], &["_", "1", "a b", "'a", ""]);
    takes("lifetime", &["'a", "'static", "'_"], &["a", "'a'", "' a"]);
    let literals =
        ["1", "-1", "1.0", "1.0e3f64", "true", "\"s\"", "'c'", "b'c'", "b\"s\"", "c\"s\"", "r#\"\"\"#"];
    takes("literal", &literals, &[]);
    takes("literal", &["-true"], &[]);
    takes("literal", &["1"], &["-a", "- -1", "a", "1.0.0", "1 + 1", "(1)"]);
}

#[test]
fn token_trees() {
    takes(
        "tt",
        &["a", "(a b)", "=>", "..=", "&&", ">>=", "'a", "[]", "{}", "<-"],
        &["a b", "= >", "& &", ""],
    );
}

#[test]
fn expressions() {
    let expressions = [
        "a",
        "a + b",
        "a::<b, c>(d)",
        "|a, b| a",
        "if a {} else {}",
        "S { a: 1, b }",
        "x.0.1.2",
        "match a { b => c }",
        "-a",
        "&&a",
        "a..",
        "..=b",
        "return",
        "async move {}",
        "m![a, b]",
        "(a, b)",
        "'a: loop {}",
        "<A as B<C, D>>::e()",
        "#[a] b",
        "a as B<C, D>",
        "unsafe { a }",
        "a?.b.await",
    ];
    takes("expr", &expressions, &["let a = b", "a b", "=> a", "_", "const { 1 }", "+", "a +", ","]);
}

#[test]
fn expressions_by_edition() {
    let takes = |edition, specifier: &str, arguments: &str| {
        let definition = MacroDefinition::parse(&format!("($x:{specifier}) => {{}}"), edition).unwrap();
        definition.expand(arguments, "c", &Limits::default()).is_ok()
    };
    assert!(takes(Edition::Edition2024, "expr", "_") && takes(Edition::Edition2024, "expr", "const { 1 }"));
    assert!(!takes(Edition::Edition2024, "expr_2021", "_") && !takes(Edition::Edition2021, "expr", "_"));
    assert!(takes(Edition::Edition2021, "pat", "A | B") && !takes(Edition::Edition2018, "pat", "A | B"));
}

#[test]
fn types_patterns_and_paths() {
    let types = [
        "A",
        "A<B, C>",
        "Vec<Vec<u8>>",
        "&'a mut A",
        "dyn A + B",
        "impl Fn(A, B) -> C",
        "fn(A) -> B",
        "[A; 2]",
        "(A, B)",
        "!",
        "_",
        "<A as B>::C",
        "for<'a> fn(&'a A)",
        "*const A",
        "A::B<{ 1 + 2 }, D>",
        "m!(A)",
    ];
    takes("ty", &types, &["1", "A B", "A, B", "=", "A<B, C"]);
    let patterns = [
        "a",
        "_",
        "A | B",
        "| A | B",
        "1..=2",
        "&A(b, ..)",
        "S { a, .. }",
        "[a, ..]",
        "ref a @ Some(_)",
        "-1",
    ];
    takes("pat", &patterns, &["a b", "=>", "a if b"]);
    takes("pat_param", &["a", "(A | B)"], &["A | B", "| A"]);
    takes(
        "path",
        &["a", "::a::b", "a::b<C, D>", "a::<B>", "<A as B>::C", "Fn(A) -> B", "crate::a"],
        &["1", "a b", "&a"],
    );
}

#[test]
fn statements_items_and_the_rest() {
    takes(
        "stmt",
        &["let a = b", "a()", "fn f() {}", "use a::{b, c};", "let Some(a) = b else { c }"],
        &["", ";"],
    );
    let items = [
        "fn f<A, B>(a: A, b: B) -> C where A: D, B: E { a; b }",
        "pub struct A;",
        "struct A(B, C);",
        "enum A { B, C }",
        "impl<A, B> C<A, B> for D { fn e() {} }",
        "#[a] mod b { fn c() {} }",
        "use a::{b, c};",
        "const A: [u8; { 2 }] = {};",
        "m! { a, b }",
        "macro_rules! a { () => {} }",
        "extern \"C\" { fn a(); }",
        "static A: B = if c { d } else { e };",
    ];
    takes("item", &items, &["a", "1", "let a = b;", "struct A"]);
    takes("block", &["{}", "{ a; b }"], &["a", "()", "unsafe {}"]);
    takes(
        "meta",
        &["a", "a::b", "a = \"b\"", "a(b, c)", "cfg(any(a, b = \"c\"))", "derive(A, B)", "unsafe(a)"],
        &["1", "#[a]"],
    );
    takes("vis", &["", "pub", "pub(crate)", "pub(in a::b)"], &["fn", "pub pub", "pub(a) b"]);
}

#[test]
fn the_first_rule_that_matches_is_taken() {
    let definition = "(a) => {}; (a $b:ident) => {}; ($e:expr) => {}; ($($t:tt)*) => {}";
    rules(
        definition,
        &[("a", Some(0)), ("a b", Some(1)), ("a + b", Some(2)), ("a, b", Some(3)), ("", Some(3))],
    );
    assert_eq!(try_expand("(a) => {}", "b"), Err(ExpandError::NoRule));
}

#[test]
fn literal_tokens_match_as_whole_operators() {
    let definition = "(=>) => {}; (= >) => {}; (&&) => {}; (& &) => {}; (::) => {}; (..=) => {}; (.. =) => {}; (1.0) => {}";
    let calls = ["=>", "= >", "&&", "& &", "::", "..=", ".. ="];
    for (rule, call) in calls.iter().enumerate() {
        rules(definition, &[(call, Some(rule))]);
    }
    rules(definition, &[("1.0", Some(7)), ("1.00", None), ("1 .0", None), (": :", None), ("==>", None)]);
    rules("(r#a \"s\" 'a) => {}", &[("r#a \"s\" 'a", Some(0)), ("a \"s\" 'a", None), ("r#a 's' 'a", None)]);
    rules(
        "(<$t:ty>) => {}; (<$t:ty>>) => {}",
        &[("<A<B>>", Some(0)), ("<A>", Some(0)), ("<A<B>>>", Some(1))],
    );
}

#[test]
fn repetitions() {
    check("($($a:ident),*) => { [$($a;)*] }", "a, b, c", "[a;b;c;]");
    check("($($a:ident),* $(,)?) => { $($a)-* }", "a, b,", "a-b");
    check("($($a:ident)=>+) => { $($a)=>* }", "a => b", "a=>b");
    check("($($k:ident = [$($v:expr),*]);*) => { $($k($($v),*))|* }", "a = [1, 2]; b = []", "a(1,2)|b()");
    check("($($($($a:ident)-*),*);*) => { $({$([$($a)*])*})* }", "a-b, c; d", "{[a b][c]}{[d]}");
    check("($a:ident $(: $b:ty)?) => { ($a $(, $b)?) }", "a: B<C>", "(a,B<C>)");
    check("($a:ident; $($b:ident)*) => { $($a.$b;)* }", "x; y z", "x.y;x.z;");
    rules("($($a:ident),+) => {}", &[("", None), ("a", Some(0)), ("a,", None), ("a b", None), (", a", None)]);
    rules("($(a)?) => {}", &[("", Some(0)), ("a", Some(0)), ("a a", None)]);
    rules("($($a:ident)* ; $($b:tt)*) => {}", &[("a b ; c ; d", Some(0)), ("a b", None)]);
    rules("($($a:ident)* $b:literal) => {}", &[("a b 1", Some(0)), ("a b", None), ("1", Some(0))]);
}

#[test]
fn repetitions_that_do_not_fit() {
    let uneven = try_expand("($($a:ident)*; $($b:ident)*) => { $($a $b)* }", "a b; c");
    assert_eq!(uneven, Err(ExpandError::Repetition("b".to_owned())));
    let too_shallow = try_expand("($($a:ident)*) => { $a }", "a b");
    assert_eq!(too_shallow, Err(ExpandError::Repetition("a".to_owned())));
}

#[test]
fn the_crate_and_the_dollar() {
    check("() => { $crate::a!($crate) }", "", "__crate_1::a!(__crate_1)");
    check("($x:ident) => { $$ $x $$x }", "a", "$a$x");
    check("($crate::a) => { 1 }", "__crate_1::a", "1");
}

#[test]
fn expressions_about_variables() {
    check("($($a:ident)*) => { [$(${ignore($a)} 0),*] }", "a b c", "[0,0,0]");
    check("($($a:ident)*) => { ${count($a)} $(${ignore($a)}(${index()}, ${len()}))* }", "a b", "2(0,2)(1,2)");
    check("($a:ident $b:literal) => { fn ${concat(x_, $a, \"_\", $b)}() {} }", "y 7", "fn x_y_7(){}");
    let unknown = MacroDefinition::parse("($a:ident) => { ${shout($a)} }", Edition::Edition2021);
    assert_eq!(unknown.err(), Some(ParseError::Expression("shout".to_owned())));
}

#[test]
fn doc_comments_are_attributes() {
    let definition = "($(#[$m:meta])* $n:ident) => { $(#[$m])* struct $n; }";
    check(definition, "/// one \"two\"\n#[a] B", "#[doc=r#\" one \"two\"\"#]#[a]struct B;");
    check("() => { /// one\nstruct A; }", "", "#[doc=r\" one\"]struct A;");
    rules("($(#![$m:meta])*) => {}", &[("//! a\n/*! b */", Some(0)), ("/// a", None), ("// a", Some(0))]);
}

#[test]
fn expressions_stay_whole() {
    let twice = "($e:expr) => { $e * 2 }";
    check(twice, "a + b", "(a + b)*2");
    check(twice, "a(b)", "a(b)*2");
    check(twice, "if a { b } else { c }", "(if a { b } else { c })*2");
    check("($e:expr) => { match $e { _ => {} } }", "S { a: 1 }", "match(S { a: 1 }){_=>{}}");
    check("($e:expr) => { $e.f() }", "-1", "(-1).f()");
    check("($e:expr) => { $e.f() }", "1", "1 .f()");
    check("($e:expr) => { $e(1) }", "a.b", "(a.b)(1)");
    check("($($e:expr)*) => { $($e)* }", "{ a } { b }", "{ a }{ b }");
}

#[test]
fn what_is_no_operand_is_not_wrapped() {
    check("($e:expr) => { match x { $e => {} } }", "A::B", "match x{A::B=>{}}");
    check("($e:expr) => { let x: [u8; $e]; }", "N", "let x:[u8;N];");
    check("($t:ty) => { <$t>::f; $t::g; &$t }", "Vec<u8>", "<Vec<u8> >::f;<Vec<u8> > ::g;&Vec<u8>");
    check("($t:ty) => { 1 as $t << 2 }", "u8", "1 as(u8)<<2");
    check("($t:ty) => { $t::MAX }", "u8", "u8::MAX");
    check(
        "($t:ty) => { fn f(a: &$t, b: Box<$t>) {} }",
        "dyn A + B",
        "fn f(a: &(dyn A + B),b:Box<dyn A + B>){}",
    );
    check("($p:pat) => { |$p| {}; let $p = x; }", "A | B", "|(A | B)|{};let A | B=x;");
    check("($($s:stmt)*) => { $($s)* }", "let a = 1 fn f() {}", "let a = 1;fn f() {}");
}

#[test]
fn tokens_do_not_run_together() {
    check("($($t:tt)*) => { $($t)* }", "a < b > - 1", "a<b> -1");
    check("($a:tt $b:tt) => { $a$b }", "& &", "& &");
    check("($a:tt $b:tt) => { $a$b }", "a b", "a b");
    check("($a:tt) => { $a= }", "=", "= =");
    check("($a:literal) => { $a.0 $a..2 x$a }", "1", "1 .0 1 ..2 x 1");
    check("($a:ident) => { $a\"s\" $a'c' }", "b", "b \"s\" b 'c'");
}

#[test]
fn fragments_pass_through_macros() {
    let (outer, inner) =
        ("($e:expr, $t:ty) => { m!($e; $t) }", "($e:expr; $t:tt) => { $e as $t }; ($($t:tt)*) => {}");
    let text = try_expand(outer, "a + b, Vec<u8>").unwrap().1;
    assert_eq!(text, "m!(/*«*/(a + b)/*»*/;/*«*/Vec<u8>/*»*/)");
    check(inner, &text[3..text.len() - 1], "(a + b)as Vec<u8>");
    check("($($t:tt)*) => { [$($t),*] }", "/*«*/a + b/*»*/ c", "[a + b,c]");
    // What was matched as a whole is no longer a list of tokens to match.
    rules("(Vec<u8>) => {}; ($t:ty) => {}", &[("Vec<u8>", Some(0)), ("/*«*/Vec<u8>/*»*/", Some(1))]);
    check(
        "($i:ident, $l:lifetime, $n:literal, $t:tt) => { m!($i $l $n $t) }",
        "a, 'b, 1, c",
        "m!(a 'b/*«*/1/*»*/c)",
    );
    rules(
        "(true) => {}; ($i:ident) => {}; ($l:literal) => {}",
        &[("true", Some(0)), ("/*«*/true/*»*/", Some(2))],
    );
    check("($l:literal) => { $l }", "/*«*/-1/*»*/", "-1");
}

#[test]
fn definitions_inside_definitions() {
    check(
        "($n:ident) => { macro_rules! $n { ($x:expr) => { $x + 1 }; } }",
        "a",
        "macro_rules!a{($x:expr)=>{$x+1};}",
    );
    let with_dollar = "($n:ident $d:tt) => { macro_rules! $n { ($d($d x:expr),*) => { [$d($d x),*] } } }";
    let text = try_expand(with_dollar, "a $").unwrap().1;
    let rules = text.strip_prefix("macro_rules!a{").and_then(|it| it.strip_suffix('}')).unwrap();
    check(rules, "1, 2 + 3", "[1,(2 + 3)]");
    let verbatim = "($n:ident) => { macro_rules! $n { ($($x:expr),* ; $n) => { [$($x),*] } } }";
    check(verbatim, "a", "macro_rules!a{($($x:expr),*;a)=>{[$($x),*]}}");
}

#[test]
fn both_kinds_of_definition() {
    check("($a:ident) { $a }", "x", "x");
    check("(a) => { 1 }, (b) => { 2 }", "b", "2");
    check("[$a:ident] => [ $a ]; {b c} => ( 2 );", "b c", "2");
    assert!(MacroDefinition::parse("", Edition::Edition2021).is_ok());
    for (rules, error) in [
        ("(", ParseError::Unbalanced),
        ("a => b", ParseError::Rule(0)),
        ("() => {}; ()", ParseError::Rule(1)),
        ("($a:number) => {}", ParseError::Specifier("number".to_owned())),
        ("($(a)) => {}", ParseError::Repetition),
    ] {
        assert_eq!(MacroDefinition::parse(rules, Edition::Edition2021).err(), Some(error), "{rules}");
    }
}

#[test]
fn a_muncher_of_tokens_ends() {
    let count =
        definition("(@ $n:expr;) => { $n }; (@ $n:expr; $t:tt $($r:tt)*) => { m!(@ $n + 1; $($r)*) }");
    let mut arguments = format!("@ 0; {}", "a ".repeat(50));
    for _ in 0..50 {
        let text = count.expand(&arguments, "c", &Limits::default()).unwrap().text;
        arguments = text["m!(".len()..text.len() - 1].to_owned();
    }
    let text = count.expand(&arguments, "c", &Limits::default()).unwrap().text;
    assert_eq!(text.matches("+ 1").count() + text.matches("+1").count(), 50);
    assert!(Tree::expression(&text, Edition::Edition2021).unwrap().errors.is_empty());
}

#[test]
fn long_lists_take_no_more_steps_than_tokens_call_for() {
    let table = definition("($($k:expr => $v:ty),* $(,)?) => { $(f::<$v>($k);)* }");
    let arguments = "a + b(c, d) => Vec<A, B>, ".repeat(5_000);
    let limits = Limits { steps: 3_000_000, ..Limits::default() };
    let text = table.expand(&arguments, "c", &limits).unwrap().text;
    let lexed = LexedStr::new(Edition::Edition2021, &text);
    assert!(lexed.errors().next().is_none());
    assert_eq!(text.matches("f::<").count(), 5_000);
}

#[test]
fn limits_hold() {
    let limits = Limits { output_bytes: 1000, steps: 10_000, nesting: 50 };
    let expand = |rules: &str, arguments: &str| definition(rules).expand(arguments, "c", &limits).map(|_| ());
    assert_eq!(expand("($($a:tt)*) => { $($a)* }", "a").err(), None);
    assert_eq!(
        expand("($($a:tt)*) => { $($a)* }", &"a ".repeat(600)),
        Err(ExpandError::Limit("output_bytes"))
    );
    assert_eq!(expand("($($a:tt)*) => {}", &"a ".repeat(11_000)), Err(ExpandError::Limit("steps")));
    let deep = format!("{}{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(expand("($a:expr) => {}", &deep), Err(ExpandError::Limit("nesting")));
    assert_eq!(expand("($a:tt) => {}", &deep), Ok(()));
    let deepest = format!("({}a{}) => {{}}", "$(".repeat(100), ")*".repeat(100));
    assert_eq!(MacroDefinition::parse(&deepest, Edition::Edition2021).err(), Some(ParseError::TooLarge));
}

#[test]
fn nothing_goes_round_in_a_circle() {
    rules("($($v:vis)*) => {}", &[("a", None)]);
    rules("($()*) => {}; ($($()*)*) => {}", &[("", Some(0)), ("a", None)]);
}

#[test]
fn definitions_are_shared_between_threads() {
    fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<MacroDefinition>();
}
