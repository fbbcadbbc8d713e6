//! Identity providers as there are many: what they sign with, how they show keys and change them, and what they say about themselves. And keys that
//! are the provider's in some way, and prove nothing all the same.

use std::time::{Duration, Instant};

use crate::identity_provider::{Described, SECRET, Shown, StandIn, Twist};
use crate::provider_keys::Algorithm;
use crate::signing_in::{NOW, browser, is_in, links, signed_in, signs_in, world};
use crate::world::World;

/// How long keys are not asked for again: as long as in the gate.
pub(crate) const KEYS_AGAIN: Duration = Duration::from_secs(5);

const ALGORITHMS: [Algorithm; 4] = [Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa, Algorithm::Es256];

/// Whether somebody gets in, in a browser of their own. The answer to who does not is a page, and has nothing of the provider's.
fn gets_in(world: &World, provider: &StandIn, number: &mut u8) -> bool {
    let mut somebody = browser(world, number);
    let page = signs_in(&mut somebody, provider, "subject-1");
    assert!(matches!(page.status, 303 | 403 | 502), "{} {}", page.status, page.body);
    assert!(!page.body.contains(SECRET), "{}", page.body);
    let is_in = is_in(&mut somebody);
    assert_eq!(page.status == 303, is_in, "{}", page.body);
    is_in
}

/// Waits until the gate asks for keys again if it has to.
fn wait_for_keys() {
    std::thread::sleep(KEYS_AGAIN);
}

/// Whoever signs in at a provider that signs, shows and describes itself in one of many ways is in.
pub(crate) fn ways() -> bool {
    let provider = StandIn::start_under("/realms/example", NOW, true);
    provider.sign_with(Algorithm::Rs256, "first");
    provider.describe(Described::AtLength);
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    assert_eq!(
        links(&mut signed_in(&world, number, "operator"), &provider, "subject-1").status,
        303,
        "somebody links an identity at a provider that signs as most do"
    );
    assert_eq!(provider.reads(), 1);
    for _ in 0..3 {
        assert!(gets_in(&world, &provider, number));
    }
    assert_eq!(provider.reads(), 1, "keys that are known are not read again");
    // No key is named; there is but one.
    provider.twist(Twist::NoKeyNamed);
    assert!(gets_in(&world, &provider, number));
    provider.twist(Twist::OtherForms);
    assert!(gets_in(&world, &provider, number), "claims in forms of their own");
    provider.twist(Twist::Nothing);
    // Another key with another name: read once more, and then known.
    wait_for_keys();
    provider.rotate("second");
    assert!(gets_in(&world, &provider, number));
    assert!(gets_in(&world, &provider, number));
    assert_eq!(provider.reads(), 2, "once for a name that was not known");
    each_way(&world, &provider, number);
    hammered(&world, &provider, number);
    empty_values();
    true
}

/// Every algorithm, and every way to show keys that is none to refuse.
fn each_way(world: &World, provider: &StandIn, number: &mut u8) {
    let ways = [Shown::Plainly, Shown::Bare, Shown::InACrowd, Shown::BesideAnotherKind];
    for (round, algorithm) in ALGORITHMS.into_iter().enumerate() {
        wait_for_keys();
        // Each of the ways takes another turn with another kind of key.
        let shown = ways[round];
        provider.show(shown);
        provider.sign_with(algorithm, &format!("key-{round}"));
        assert!(gets_in(world, provider, number), "{algorithm:?} {shown:?}");
    }
    // A key that is announced is there when it is used: nobody has to ask for it.
    wait_for_keys();
    provider.show(Shown::BesideTheNext);
    provider.sign_with(Algorithm::Rs256, "key");
    assert!(gets_in(world, provider, number));
    let reads = provider.reads();
    provider.rotate("key-next");
    assert!(gets_in(world, provider, number));
    assert_eq!(provider.reads(), reads);
    // Which of two it is has to be said (OpenID Connect Core 1.0, section 10.1).
    provider.twist(Twist::NoKeyNamed);
    assert!(!gets_in(world, provider, number));
    provider.twist(Twist::Nothing);
    provider.show(Shown::Plainly);
}

/// However many come with a key that nobody knows, the provider is asked for its keys once in a while.
fn hammered(world: &World, provider: &StandIn, number: &mut u8) {
    wait_for_keys();
    let (before, since) = (provider.reads(), Instant::now());
    provider.twist(Twist::UnknownKey);
    for _ in 0..12 {
        assert!(!gets_in(world, provider, number));
    }
    let at_most = 1 + since.elapsed().as_secs() / KEYS_AGAIN.as_secs();
    let reads = u64::from(provider.reads() - before);
    assert!((1..=at_most).contains(&reads), "{reads} reads, {at_most} at most");
    provider.twist(Twist::Nothing);
    assert!(gets_in(world, provider, number), "others are let in all the while");
}

/// What is left empty says nothing, and is in nobody's way.
fn empty_values() {
    let provider = StandIn::start_under("/tenant/v2.0", NOW, false);
    provider.describe(Described::Emptily);
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    assert_eq!(links(&mut signed_in(&world, number, "operator"), &provider, "subject-1").status, 303);
    assert!(gets_in(&world, &provider, number));
}

/// Keys and algorithms that do not belong together let nobody in.
pub(crate) fn confusions() -> bool {
    let provider = StandIn::start(NOW, true);
    provider.sign_with(Algorithm::Rs256, "key");
    let (world, _directory) = world(&provider, |_| {});
    let number = &mut 0;
    assert_eq!(links(&mut signed_in(&world, number, "operator"), &provider, "subject-1").status, 303);
    let kinds = [Algorithm::Rs256, Algorithm::Es256];
    for algorithm in kinds {
        wait_for_keys();
        provider.sign_with(algorithm, "key");
        assert!(gets_in(&world, &provider, number), "{algorithm:?}");
        for twist in [
            Twist::Unsigned,
            Twist::SignedWithTheSecret,
            Twist::SignedWithThePublicKey,
            Twist::SignedWithTheShownKey,
            Twist::SignedWithAnotherKey,
            Twist::OfAnotherKind,
            Twist::OwnKey,
            Twist::UnknownKey,
        ] {
            provider.twist(twist);
            assert!(!gets_in(&world, &provider, number), "{algorithm:?} {twist:?}");
        }
        provider.twist(Twist::Nothing);
    }
    for (round, shown) in [
        Shown::ForEncryption,
        Shown::ForAnotherUse,
        Shown::ForAnotherAlgorithm,
        Shown::Twice,
        Shown::Nowhere,
        Shown::AsASecret,
    ]
    .into_iter()
    .enumerate()
    {
        wait_for_keys();
        provider.show(shown);
        provider.sign_with(kinds[round % 2], &format!("key-{round}"));
        assert!(!gets_in(&world, &provider, number), "{shown:?}");
        // What is public is no secret, whatever it is shown as.
        provider.twist(Twist::SignedWithThePublicKey);
        assert!(!gets_in(&world, &provider, number), "{shown:?}");
        provider.twist(Twist::Nothing);
    }
    // As soon as it is shown as it should be, everybody is back.
    wait_for_keys();
    provider.show(Shown::Plainly);
    assert!(gets_in(&world, &provider, number));
    true
}
