//! `cratekeeper explain`: what a rule looks at, why it matters, what to do.

use cratekeeper_report::sarif::Producer;

use crate::arguments::{Explain, Format, Global};
use crate::error::Hinted;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(explain: &Explain, global: &Global) -> anyhow::Result<Exit> {
    let rules = output::rules();
    let chosen: Vec<_> = match &explain.rule {
        None => rules,
        Some(id) => {
            let found: Vec<_> = rules.iter().filter(|rule| rule.id == id).copied().collect();
            if found.is_empty() {
                let message = format!("failed to explain `{id}`: there is no such rule");
                return Err(Hinted::message(message, &suggestion(id, &rules)).into());
            }
            found
        }
    };
    output::write(|out| match (global.format, &explain.rule) {
        (Format::Json | Format::Vex | Format::Graph(_), _) => {
            cratekeeper_report::rules_json(output::TOOL, &chosen, out)
        }
        // A run without results: what code scanning shows about each rule.
        (Format::Sarif, _) => {
            let producer = Producer { tool: output::TOOL, rules: &chosen, base: None };
            cratekeeper_report::sarif::rules(&producer, out)
        }
        (Format::Human, Some(_)) => chosen
            .iter()
            .try_for_each(|rule| cratekeeper_report::human::explain(output::terminal(), rule, out)),
        (Format::Human, None) => cratekeeper_report::rules(output::terminal(), &chosen, out),
    })?;
    Ok(Exit::Clean)
}

/// The rule whose id shares most words with what was typed, or where to find them all.
fn suggestion(id: &str, rules: &[cratekeeper_report::RuleDescription<'_>]) -> String {
    let words: Vec<&str> = id.split(['-', '_']).collect();
    let shared = |rule: &str| rule.split('-').filter(|word| words.contains(word)).count();
    let best = rules.iter().max_by_key(|rule| shared(rule.id)).filter(|rule| shared(rule.id) > 0);
    match best {
        Some(rule) => format!("did you mean `{}`? `cratekeeper explain` lists all rules", rule.id),
        None => "`cratekeeper explain` lists all rules".to_owned(),
    }
}
