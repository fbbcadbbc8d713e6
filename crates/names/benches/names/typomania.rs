//! typomania, set up as the registry that deploys it does: bit flips, omitted letters, swapped words, its table of typing
//! errors, affixes with separators, and the three checks that are always there.

use std::collections::HashMap;

use typomania::checks::{Bitflips, Check, Omitted, Squat, SwappedWords, Typos};
use typomania::{AuthorSet, Corpus, Harness, Package};

/// Characters that crate names have.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz1234567890-_";
/// Affixes that the registry looks for, with either separator.
const AFFIXES: [&str; 7] = ["api", "cli", "core", "lib", "rs", "rust", "sys"];

/// Characters that the registry takes for confusable with others, and what each is confused with.
const TYPOS: [(char, &str); 38] = [
    ('1', "2qil"),
    ('2', "1qw3"),
    ('3', "2we4"),
    ('4', "3er5"),
    ('5', "4rt6s"),
    ('6', "5ty7"),
    ('7', "6yu8"),
    ('8', "7ui9"),
    ('9', "8io0"),
    ('0', "9op-"),
    ('-', "_0p."),
    ('_', "-0p."),
    ('q', "12wasz"),
    ('w', "23esaqx"),
    ('e', "34rdswz"),
    ('r', "45tfde"),
    ('t', "56ygfr"),
    ('y', "67uhtiasx"),
    ('u', "78ijyv"),
    ('i', "189olkjuy"),
    ('o', "90pli"),
    ('p', "0-o"),
    ('a', "qwsz12"),
    ('s', "wdxza5q"),
    ('d', "erfcxs"),
    ('f', "rgvcd"),
    ('g', "thbvf"),
    ('h', "yjnbg"),
    ('j', "uikmnh"),
    ('k', "iolmj"),
    ('l', "iopk1"),
    ('z', "asx67uhtie23"),
    ('x', "zsdcw"),
    ('c', "xdfv"),
    ('v', "cfgbu"),
    ('b', "vghn"),
    ('n', "bhjm"),
    ('m', "njk"),
];

/// Typing errors that are no single character.
const LONGER: [(char, &str); 5] = [('-', ""), ('_', ""), ('w', "vv"), ('m', "rn"), ('.', "")];

/// A harness over these names.
pub(crate) fn harness(names: &[String]) -> Harness<Names> {
    let mut typos: HashMap<char, Vec<String>> = HashMap::new();
    for (letter, others) in TYPOS {
        typos.entry(letter).or_default().extend(others.chars().map(String::from));
    }
    for (letter, other) in LONGER {
        typos.entry(letter).or_default().push(other.to_owned());
    }
    let names: Names = Names(names.iter().map(|name| (name.clone(), Nobody)).collect());
    Harness::builder()
        .with_check(Bitflips::new(ALPHABET, names.0.keys().map(String::as_str)))
        .with_check(Omitted::new(ALPHABET))
        .with_check(SwappedWords::new("-_"))
        .with_check(Typos::new(typos.into_iter()))
        .with_check(Affixes)
        .build(names)
}

/// Judges names, one after the other; gives how many it took for squats.
pub(crate) fn check(harness: &Harness<Names>, names: &[String]) -> usize {
    let squats = |name: &String| harness.check_package(name, Box::new(Nobody)).map_or(0, |it| it.len());
    names.iter().filter(|name| squats(name) > 0).count()
}

/// A package that shares its owner with no other one, so that nothing is excluded.
pub(crate) struct Nobody;

impl Package for Nobody {
    fn authors(&self) -> &dyn AuthorSet {
        self
    }

    fn description(&self) -> Option<&str> {
        None
    }

    fn shared_authors(&self, _: &dyn AuthorSet) -> bool {
        false
    }
}

impl AuthorSet for Nobody {
    fn contains(&self, _: &str) -> bool {
        false
    }
}

/// The corpus.
pub(crate) struct Names(HashMap<String, Nobody>);

impl Corpus for Names {
    fn contains_name(&self, name: &str) -> typomania::Result<bool> {
        Ok(self.0.contains_key(name))
    }

    fn get(&self, name: &str) -> typomania::Result<Option<&dyn Package>> {
        Ok(self.0.get(name).map(|it| it as &dyn Package))
    }
}

/// The registry's own check: an affix added or removed, with a separator.
struct Affixes;

impl Check for Affixes {
    fn check(&self, corpus: &dyn Corpus, name: &str, package: &dyn Package) -> typomania::Result<Vec<Squat>> {
        let mut squats = Vec::new();
        for separator in ["-", "_"] {
            for affix in AFFIXES {
                let prefix = format!("{affix}{separator}");
                let suffix = format!("{separator}{affix}");
                let others = [
                    name.strip_prefix(&prefix).map(str::to_owned),
                    name.strip_suffix(&suffix).map(str::to_owned),
                    Some(format!("{prefix}{name}")),
                    Some(format!("{name}{suffix}")),
                ];
                for other in others.into_iter().flatten() {
                    if corpus.possible_squat(&other, name, package)? {
                        squats.push(Squat::Custom { message: format!("affix {affix}"), package: other });
                    }
                }
            }
        }
        Ok(squats)
    }
}
