//! Files with secrets.

use std::collections::BTreeSet;

use cratekeeper_model::facts::{ConstantText, OperationKind, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Behaviour, Sign, is_about, owner_of_secret, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "secret-file",
    family: Family::Behaviour,
    title: "The package names files that hold credentials, keys or wallets",
    explanation: "\
**Looks at:** constant paths such as `.ssh/id_rsa`, `.aws/credentials`, `.cargo/credentials.toml`, `.env`, profiles of browsers, key stores of wallets. Two owners or more that have nothing to do with each other give `low`; so does one while the package is built. One owner gives `info`. Tests are left out unless they read it.

**Why:** this is what was stolen in nearly every campaign; and honest code needs the files of one owner.

**Harmless when:** the crate is a client of the owner's service, a credential helper, or a tool for such files.

**What to do:** find out what becomes of what is read.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[52],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let texts = behaviour.flow().texts.iter();
        let texts: Vec<&ConstantText> = texts
            .filter(|text| is_about(text, &[Topic::SecretFile, Topic::WalletFile]))
            .filter(|text| !behaviour.is_test_file(text.file) || is_used(behaviour, text))
            .collect();
        let owners: BTreeSet<&str> = texts.iter().filter_map(|text| owner_of_secret(&text.value)).collect();
        let seen = texts.iter().map(|text| {
            let severity =
                if owners.len() > 1 || at_build(behaviour, text) { Severity::Low } else { Severity::Info };
            Sign::new(severity, Confidence::Medium, behaviour.text_evidence(text)).pointing_to([52])
        });
        let says = "the package names files that hold secrets";
        signs(&RULE, seen, says, "find out what becomes of what is read")
    })
}

fn is_used(behaviour: &Behaviour<'_>, text: &ConstantText) -> bool {
    text.operation.and_then(|number| behaviour.act(number)).is_some_and(|act| {
        matches!(
            act.operation.kind,
            OperationKind::ReadFile | OperationKind::StartProcess | OperationKind::ReadDirectory
        )
    })
}

fn at_build(behaviour: &Behaviour<'_>, text: &ConstantText) -> bool {
    text.operation.and_then(|number| behaviour.act(number)).is_some_and(|act| behaviour.at_build(act))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, TEST, points, silent};

    fn naming(function: u32, kind: OperationKind, paths: &[&str]) -> Deeds {
        let mut deeds = Deeds::new();
        let act = deeds.act(function, kind, &[]);
        for path in paths {
            deeds.text(act, path, Topic::SecretFile, &[]);
        }
        deeds
    }

    #[test]
    fn secrets_of_several_owners_are_told() {
        let deeds = naming(LIBRARY, OperationKind::ReadFile, &["{}/.ssh/id_rsa", "{}/.aws/credentials"]);
        points(&RULE, &deeds, Severity::Low, &[52]);
    }

    #[test]
    fn those_of_one_owner_are_worth_knowing() {
        let deeds = naming(LIBRARY, OperationKind::ReadFile, &["{}/.ssh/id_rsa", "{}/.ssh/id_ed25519"]);
        points(&RULE, &deeds, Severity::Info, &[52]);
        let deeds = naming(BUILD, OperationKind::ReadFile, &["{}/.ssh/id_rsa"]);
        points(&RULE, &deeds, Severity::Low, &[52]);
    }

    #[test]
    fn names_in_tests_are_silent() {
        silent(&RULE, &naming(TEST, OperationKind::Encode, &["{}/.ssh/id_rsa", "{}/.netrc"]).input());
    }
}
