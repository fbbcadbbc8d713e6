//! Forms: what becomes equal, and what must not.

use super::{Name, OwnedName, singular};

fn form(text: &str, of: impl Fn(Name<'_>) -> Vec<char>) -> String {
    of(OwnedName::new(text).as_name()).iter().collect()
}

fn look(text: &str) -> String {
    form(text, |it| it.look())
}

fn sound(text: &str) -> String {
    form(text, |it| it.sound())
}

#[test]
fn a_name_is_taken_apart() {
    let name = OwnedName::new("Serde_JSON--v2.");
    let name = name.as_name();
    assert_eq!(name.letters.iter().collect::<String>(), "serdejsonv2");
    assert_eq!(name.words().map(String::from_iter).collect::<Vec<_>>(), ["serde", "json", "v2"]);
    assert_eq!(name.numbers(), ["2"]);
    assert!(name.is_word_end(5) && name.is_word_end(11) && !name.is_word_end(6));
    assert_eq!(name.text(), "Serde_JSON--v2.");
}

#[test]
fn a_name_without_letters_has_none() {
    for text in ["", "-", "--__"] {
        let name = OwnedName::new(text);
        assert_eq!((name.as_name().letters.len(), name.as_name().count()), (0, 0), "{text:?}");
    }
}

#[test]
fn plurals_have_their_singular() {
    for (plural, expected) in [
        ("macros", "macro"),
        ("boxes", "box"),
        ("matches", "match"),
        ("types", "type"),
        ("less", "less"),
        ("os", "os"),
        ("aws", "aws"),
    ] {
        let letters: Vec<char> = plural.chars().collect();
        assert_eq!(singular(&letters).iter().collect::<String>(), expected);
    }
    assert_eq!(
        form("tauri-winrt-notifications", |it| it.singular().copied().collect()),
        "tauriwinrtnotification"
    );
}

#[test]
fn numbers_and_versions_are_left_out() {
    for text in ["foo", "foo2", "foo-2", "foo_v2", "foov2", "2foo", "foo-0-1"] {
        assert_eq!(form(text, |it| it.without_numbers().copied().collect()), "foo", "{text}");
    }
    // A `v` without a number is a letter.
    assert_eq!(form("rav", |it| it.without_numbers().copied().collect()), "rav");
}

#[test]
fn numbers_are_compared_place_by_place() {
    for (one, other, expected) in [
        ("secp256r4", "secp256r1", (vec!["4"], vec!["1"])),
        ("sha256", "sha512", (vec!["256"], vec!["512"])),
        ("secp256k1-2", "secp256k1", (vec!["2"], vec![])),
        ("ed25519", "ed", (vec!["25519"], vec![])),
        ("a1b2", "ab12", (vec!["1", "2"], vec!["12"])),
        ("a1", "a1", (vec![], vec![])),
    ] {
        let (name, target) = (OwnedName::new(one), OwnedName::new(other));
        let (own, others) = name.as_name().other_numbers(target.as_name());
        let text = |numbers: &[&str]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((own, others), (text(&expected.0), text(&expected.1)), "{one} {other}");
    }
}

#[test]
fn look_alikes_look_alike() {
    for (one, other) in [
        ("serde", "sеrdе"),
        ("modern", "modem"),
        ("savvy", "sawy"),
        ("clap", "dap"),
        ("tokio", "t0ki0"),
        ("libloading", "1ib1oading"),
        ("lib", "Iib"),
        ("rustls", "rust1s"),
    ] {
        assert_eq!(look(one), look(other), "{one} {other}");
    }
    assert_ne!(look("serde"), look("serbe"));
    assert_ne!(look("iter"), look("lter"));
}

#[test]
fn sounds_sound_alike() {
    for (one, other) in
        [("colour", "color"), ("graphic", "grafic"), ("serialize", "serialise"), ("kafka", "cafca")]
    {
        assert_eq!(sound(one), sound(other), "{one} {other}");
    }
    assert_ne!(sound("chrono"), sound("krono"));
}

#[test]
fn words_can_be_reordered() {
    let reordered = |text: &str| {
        let name = OwnedName::new(text);
        let orders = name.as_name().reordered();
        orders.iter().map(|letters| letters.iter().collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(reordered("cfg-if"), ["ifcfg"]);
    assert_eq!(reordered("a-b-c").len(), 5);
    assert!(reordered("one").is_empty());
    assert_eq!(form("serde_yaml", |it| it.sorted_words()), form("yaml-serde", |it| it.sorted_words()));
}

#[test]
fn words_of_another_name_are_found_in_order() {
    let has =
        |one: &str, other: &str| OwnedName::new(one).as_name().has_words_of(OwnedName::new(other).as_name());
    assert!(has("tracing-actix-web", "tracing") && has("tracing-actix-web", "tracing-web"));
    assert!(!has("tracing-actix-web", "web-tracing") && !has("tracing", "tracing"));
}
