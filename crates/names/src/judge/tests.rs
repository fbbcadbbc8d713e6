//! Each kind of confusion: what it finds, how that reads, and what looks like it and is not.

use jiff::civil::date;
use proptest::prelude::*;

use crate::name::OwnedName;
use crate::search::Search;
use crate::{Candidate, Check, Corpus, Entry, Judgement, Kind, Level};

const TARGETS: [&str; 23] = [
    "tracing",
    "serde",
    "serde_json",
    "once_cell",
    "reqwest",
    "proc-macro2",
    "cfg-if",
    "postgres",
    "finch",
    "fast_log",
    "modern-api",
    "colored",
    "base64",
    "rust_decimal",
    "openssl-sys",
    "tracing-actix-web",
    "tokio",
    "actix-web",
    "rand",
    "ansi_colours",
    "libloading",
    "xml-rs",
    "graphql",
];

fn corpus() -> Corpus {
    let entry = |(name, rank): (&&str, u32)| Entry { rank: Some(rank), ..Entry::new(*name) };
    Corpus::new(TARGETS.iter().zip(1..).map(entry).collect(), Kind::Crates).unwrap()
}

fn judge(name: &str) -> Judgement {
    corpus().judge(&Candidate::new(name).unwrap())
}

/// The first match: its level, its check, and its sentence.
fn first(name: &str) -> (Level, Check, String) {
    let judgement = judge(name);
    let first = judgement.matches.first().unwrap_or_else(|| panic!("nothing found for `{name}`"));
    (judgement.level, first.check, first.explanation())
}

#[test]
fn every_kind_of_confusion_is_found_and_explained() {
    use Check::*;
    use Level::*;
    let mut wrong = Vec::new();
    for (name, level, check, explanation) in [
        ("oncecell", Alert, Separators, "`oncecell` is `once_cell` without its separators"),
        ("once-cell", Alert, Separators, "`once-cell` is `once_cell` with other separators"),
        ("to-kio", Alert, Separators, "`to-kio` is `tokio` with separators added"),
        ("Serde", Alert, Separators, "`Serde` is `serde` in other upper and lower case"),
        ("modernapi", Alert, Separators, "`modernapi` is `modern-api` without its separators"),
        (
            "modem-api",
            Alert,
            LookAlike,
            "`modem-api` is `modern-api` written with characters that look alike",
        ),
        ("reqvvest", Alert, LookAlike, "`reqvvest` is `reqwest` written with characters that look alike"),
        ("t0ki0-", Alert, LookAlike, "`t0ki0-` is `tokio` written with characters that look alike"),
        (
            "1ibloading",
            Alert,
            LookAlike,
            "`1ibloading` is `libloading` written with characters that look alike",
        ),
        (
            "Iibloading",
            Alert,
            LookAlike,
            "`Iibloading` is `libloading` written with characters that look alike",
        ),
        ("ѕеrdе", Alert, LookAlike, "`ѕеrdе` is `serde` written with characters that look alike"),
        ("rewqest", Alert, TransposedLetters, "`rewqest` is `reqwest` with `qw` turned into `wq`"),
        ("postgress", Alert, RepeatedLetter, "`postgress` is `postgres` with `s` repeated"),
        ("tracng", Alert, OmittedLetter, "`tracng` is `tracing` with `i` left out"),
        ("tracqing", Alert, InsertedLetter, "`tracqing` is `tracing` with `q` put in"),
        (
            "reqeest",
            Alert,
            KeyboardNeighbour,
            "`reqeest` is `reqwest` with `e` for `w`, its neighbour on a keyboard",
        ),
        (
            "postgpes",
            Alert,
            BitFlip,
            "`postgpes` is `postgres` with `p` for `r`, which differ in a single bit",
        ),
        ("tracang", Alert, ReplacedVowel, "`tracang` is `tracing` with `a` for `i`"),
        ("tracikg", Review, ReplacedLetter, "`tracikg` is `tracing` with `k` for `n`"),
        (
            "rtacign",
            None,
            TwoEdits,
            "`rtacign` is `tracing` with `tr` turned into `rt` and `ng` turned into `gn`",
        ),
        (
            "lbiloadnig",
            Review,
            TwoEdits,
            "`lbiloadnig` is `libloading` with `ib` turned into `bi` and `in` turned into `ni`",
        ),
        ("qerwest", Review, SwappedLetters, "`qerwest` is `reqwest` with `r` and `q` swapped"),
        ("tracings", Alert, Plural, "`tracings` is `tracing` with a plural s"),
        ("rands", Alert, Plural, "`rands` is `rand` with a plural s"),
        ("modern-apis", Alert, Plural, "`modern-apis` is `modern-api` with a plural s"),
        ("ansi_colour", Alert, Plural, "`ansi_colour` is `ansi_colours` in the singular"),
        ("if-cfg", Alert, WordOrder, "`if-cfg` is `cfg-if` with its words in another order"),
        ("cellonce", Alert, WordOrder, "`cellonce` is `once_cell` with its words in another order"),
        ("grafql", Alert, Phonetic, "`grafql` is `graphql` spelt differently, with the same sound"),
        ("proc-macro1", Alert, Number, "`proc-macro1` is `proc-macro2` with the number 1 in the place of 2"),
        (
            "proc-macro",
            Alert,
            ReservedName,
            "`proc-macro` is taken for `proc_macro`, a crate of Rust's own library",
        ),
        ("tracing-v2", Review, Number, "`tracing-v2` is `tracing` with the number 2 added"),
        ("tokio_2", Review, Number, "`tokio_2` is `tokio` with the number 2 added"),
        ("base", Review, Number, "`base` is `base64` without its number 64"),
        ("finch-rust", Alert, AffixAdded, "`finch-rust` is `finch` with `rust` added"),
        ("finchrst", Alert, AffixAdded, "`finchrst` is `finch` with `rst` added"),
        ("my-serde-rs", Alert, AffixAdded, "`my-serde-rs` is `serde` with `my` and `rs` added"),
        ("tracing_checks", Review, AffixAdded, "`tracing_checks` is `tracing` with `checks` added"),
        ("cargo-tokio", Review, AffixAdded, "`cargo-tokio` is `tokio` with `cargo` added"),
        ("xml", Review, AffixRemoved, "`xml` is `xml-rs` without `rs`"),
        ("decimal", Review, AffixRemoved, "`decimal` is `rust_decimal` without `rust`"),
        (
            "openssl-lib",
            Review,
            AffixReplaced,
            "`openssl-lib` is `openssl-sys` with `lib` in the place of `sys`",
        ),
        (
            "rewqest-rs",
            Review,
            AffixAndTypo,
            "`rewqest-rs` is `reqwest` with `qw` turned into `wq`, and `rs` added",
        ),
        ("faster_log", Review, WordForm, "`faster_log` is `fast_log` with another form of a word"),
        ("tracing-ethers", Review, ExtraWords, "`tracing-ethers` is `tracing` and `ethers`"),
        ("tokio-fancy-stuff", None, ExtraWords, "`tokio-fancy-stuff` is `tokio` and `fancy` and `stuff`"),
        ("reqwestcell", Review, ExtraWords, "`reqwestcell` is `reqwest` and `cell`"),
        ("tracingactix", Review, MissingWord, "`tracingactix` is `tracing-actix-web` without the word `web`"),
        (
            "tracing-actix",
            Review,
            MissingWord,
            "`tracing-actix` is `tracing-actix-web` without the word `web`",
        ),
    ] {
        let found = first(name);
        if found != (level, check, explanation.to_owned()) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The affix explains the name whole; that another target is a letter or two away must not hide it.
#[test]
fn an_added_affix_is_told_before_a_likeness() {
    let popular = Corpus::popular_crates();
    for (name, target) in [
        ("serde-rs", "serde"),
        ("rs-serde", "serde"),
        ("my-serde", "serde"),
        ("tokio-rs", "tokio"),
        ("base64-rs", "base64"),
        ("hyper-rs", "hyper"),
        ("serde-main", "serde"),
    ] {
        let judgement = popular.judge(&Candidate::new(name).unwrap());
        assert_eq!(judgement.matches[0].target, target, "{name}: {:?}", judgement.matches[0].explanation());
    }
}

#[test]
fn explanations_name_what_differs_and_nothing_else() {
    let popular = Corpus::popular_crates();
    for (name, target, expected) in [
        ("dtor-proc-macro", "proc-macro2", "and `dtor` (and a number or an ending changed)"),
        ("javascriptcore-rs", "javascriptcore-rs-sys", "without `sys`"),
        ("mail-parser", "mailparse", "with `r` put in and other separators"),
        ("9serde", "serde", "with the number 9 added"),
    ] {
        let judgement = popular.judge(&Candidate::new(name).unwrap().left_out());
        let found = judgement.matches.iter().find(|it| it.target == target).unwrap();
        assert_eq!(found.explanation(), format!("`{name}` is `{target}` {expected}"));
    }
}

#[test]
fn what_is_another_name_is_not_confused() {
    for name in ["hyper", "quote", "syn", "completely-unrelated", "zstd", "x", "ab", "42", "json", "log"] {
        assert_eq!(judge(name).level, Level::None, "{name}: {:?}", judge(name).matches);
    }
}

#[test]
fn a_name_of_the_corpus_is_itself_unless_it_is_left_out() {
    let judgement = judge("tracing-actix-web");
    assert!(judgement.in_corpus && judgement.matches.is_empty());
    let left_out = corpus().judge(&Candidate::new("tracing-actix-web").unwrap().left_out());
    assert!(left_out.in_corpus && left_out.matches.iter().all(|it| it.target != "tracing-actix-web"));
    assert!(left_out.matches.iter().any(|it| it.target == "tracing"));
}

#[test]
fn short_names_are_alike_by_chance() {
    let corpus = Corpus::new(vec![Entry { rank: Some(1), ..Entry::new("syn") }], Kind::Crates).unwrap();
    for name in ["sy", "sin", "synn", "sny", "yn", "syn2"] {
        let judgement = corpus.judge(&Candidate::new(name).unwrap());
        assert!(judgement.level < Level::Alert, "{name}: {:?}", judgement.matches);
    }
}

#[test]
fn a_word_that_others_use_is_no_misspelling() {
    let names = ["iron", "serde", "icon-pack", "icon-theme"];
    let corpus = Corpus::new(names.map(Entry::new).to_vec(), Kind::Crates).unwrap();
    let without = Corpus::new(names[..2].iter().map(|it| Entry::new(*it)).collect(), Kind::Crates).unwrap();
    let score = |corpus: &Corpus| corpus.judge(&Candidate::new("icon").unwrap()).score;
    assert!(score(&corpus) < score(&without), "{} {}", score(&corpus), score(&without));
}

fn about(candidate: impl Fn(&mut Candidate)) -> Judgement {
    let target = Entry {
        rank: Some(10),
        created: Some(date(2018, 1, 1)),
        owners: vec!["matklad".to_owned()],
        repository: Some("https://code.example.invalid/matklad/once_cell".to_owned()),
        ..Entry::new("once_cell")
    };
    let corpus = Corpus::new(vec![target], Kind::Crates).unwrap();
    let mut asked = Candidate::new("oncecell").unwrap();
    candidate(&mut asked);
    corpus.judge(&asked)
}

#[test]
fn an_older_name_is_no_squat() {
    let older = about(|it| it.created = Some(date(2017, 1, 1)));
    assert_eq!(older.level, Level::None);
    assert!(older.matches[0].explanation().contains("the older one"), "{}", older.matches[0].explanation());
    for created in [date(2018, 1, 1), date(2023, 8, 16)] {
        assert_eq!(about(|it| it.created = Some(created)).level, Level::Alert);
    }
}

#[test]
fn a_shared_owner_makes_no_squat() {
    let same = about(|it| it.owners = vec!["other".to_owned(), "matklad".to_owned()]);
    assert_eq!(same.level, Level::None);
    assert!(same.matches[0].explanation().contains("`matklad` owns both"));
    assert_eq!(about(|it| it.owners = vec!["matk1ad".to_owned()]).level, Level::Alert);
}

/// `faster_log` and `async_println` named the repository of `fast_log`.
#[test]
fn the_same_repository_is_a_claim_that_calms_and_does_not_clear() {
    let repository = Some("http://code.example.invalid/matklad/Once_Cell.git/".to_owned());
    let same = about(|it| it.repository.clone_from(&repository));
    assert_eq!(same.level, Level::Review);
    assert!(same.matches[0].explanation().contains("which anyone can claim"));
    let stranger = about(|it| {
        it.repository.clone_from(&repository);
        it.owners = vec!["amaperf".to_owned()];
    });
    assert_eq!(stranger.level, Level::Alert);
    assert!(stranger.matches[0].explanation().contains("none of its owners"));
}

#[test]
fn a_repository_s_name_is_the_crate_s() {
    let target = Entry {
        rank: Some(900),
        repository: Some("https://code.example.invalid/Polymarket/rs-clob-client".to_owned()),
        ..Entry::new("market-sdk")
    };
    let corpus = Corpus::new(vec![target], Kind::Crates).unwrap();
    for name in ["polymarket", "rs-clob-client", "polymarket-rs-clob-client"] {
        let judgement = corpus.judge(&Candidate::new(name).unwrap());
        assert_eq!(judgement.level, Level::Review, "{name}");
        assert_eq!(judgement.matches[0].check, Check::RepositoryName);
    }
}

#[test]
fn the_more_popular_of_two_targets_comes_first() {
    let entry = |name, rank| Entry { rank: Some(rank), ..Entry::new(name) };
    let corpus = Corpus::new(vec![entry("barcode", 4_000), entry("bancode", 10)], Kind::Crates).unwrap();
    let judgement = corpus.judge(&Candidate::new("bacode").unwrap());
    let targets: Vec<&str> = judgement.matches.iter().map(|it| it.target.as_str()).collect();
    assert_eq!(targets, ["bancode", "barcode"]);
}

/// Nobody can make a name that takes long: whatever it is, so many lookups and comparisons are enough. What one costs is
/// measured by `cargo xtask bench names`.
fn work(corpus: &Corpus, name: &str) -> usize {
    let name = OwnedName::new(name);
    Search::work(corpus, name.as_name())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_is_a_panic(text in any::<String>()) {
        let corpus = Corpus::popular_crates();
        if let Ok(candidate) = Candidate::new(text) {
            for found in corpus.judge(&candidate.left_out()).matches {
                prop_assert!(found.score <= 100 && !found.explanation().is_empty());
            }
        }
    }

    #[test]
    fn no_name_is_a_panic(text in "[a-zA-Z0-9_.éßİŉﬃIl1-]{1,70}") {
        let corpus = Corpus::popular_crates();
        if let Ok(candidate) = Candidate::new(text) {
            prop_assert!(corpus.judge(&candidate.left_out()).score <= 100);
        }
    }

    #[test]
    fn no_legal_name_takes_long(
        text in prop_oneof![
            "[a-z]{1,64}",
            "([a-z0-9]-){1,31}[a-z0-9]",
            "(a|b|s|rs|my|core|aws|sdk|tokio|serde)(-(a|b|s|rs|my|core|aws|sdk|tokio|serde)){0,20}",
            "[ab]{1,64}",
            "(rs-|sys-|core-){1,16}",
        ],
    ) {
        let text: String = text.chars().take(64).collect();
        prop_assert!(work(Corpus::popular_crates(), &text) < 20_000, "{text}");
    }
}
