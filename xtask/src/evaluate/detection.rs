//! `cargo xtask evaluate detection`: fixtures of every technique, replicas of incidents and the project's own dependencies,
//! judged by the program as it is shipped, against what is required.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct DetectionArguments {
    /// Measure once more without each family of rules
    #[arg(long)]
    ablation: bool,
    /// Further `.crate` files that are taken to be harmless; may be repeated
    #[arg(long, value_name = "DIR")]
    benign: Vec<PathBuf>,
    /// Use this program instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Write the document of `cratekeeper evaluate`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if something that was measured is not as required
    #[arg(long)]
    check: bool,
}

/// A figure that is required.
struct Requirement {
    title: &'static str,
    /// Fields of `totals` whose shares are added up.
    fields: &'static [&'static str],
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    /// Percent.
    AtLeast(f64),
    AtMost(f64),
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        title: "single signals named",
        fields: &["/positives_named", "/positives_named_held_out"],
        limit: Limit::AtLeast(95.0),
    },
    Requirement {
        title: "  of those not looked at",
        fields: &["/positives_named_held_out"],
        limit: Limit::AtLeast(95.0),
    },
    Requirement {
        title: "complete chains at alert",
        fields: &["/chains_at_alert"],
        limit: Limit::AtLeast(95.0),
    },
    Requirement { title: "incidents caught", fields: &["/incidents_caught"], limit: Limit::AtLeast(100.0) },
    Requirement {
        title: "harmless twins at alert",
        fields: &["/twins_at_alert", "/twins_at_alert_held_out"],
        limit: Limit::AtMost(5.0),
    },
    Requirement {
        title: "harmless events at alert",
        fields: &["/harmless_at_alert"],
        limit: Limit::AtMost(5.0),
    },
    Requirement {
        title: "real crates at review",
        fields: &["/benign/at_review", "/benign_held_out/at_review"],
        limit: Limit::AtMost(6.0),
    },
    Requirement {
        title: "  of those not looked at",
        fields: &["/benign_held_out/at_review"],
        limit: Limit::AtMost(6.0),
    },
    Requirement {
        title: "real crates at alert",
        fields: &["/benign/at_alert", "/benign_held_out/at_alert"],
        limit: Limit::AtMost(1.0),
    },
    Requirement {
        title: "  of those not looked at",
        fields: &["/benign_held_out/at_alert"],
        limit: Limit::AtMost(1.0),
    },
];

pub(super) fn detection(arguments: &DetectionArguments) -> anyhow::Result<()> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => super::edges::program()?,
    };
    // Once for people, once as a document: the second run finds all facts in the cache.
    let run = |format: &str| {
        let mut command = Command::new(&program);
        command.current_dir(workspace()).args(["evaluate", "--offline", "--format", format]);
        command.args(["--fixtures", "tests/detection/techniques", "--incidents", "incidents"]);
        command.args(["--lockfile=Cargo.lock"]);
        command.args(arguments.benign.iter().flat_map(|it| ["--benign".into(), it.clone().into_os_string()]));
        command.args(arguments.ablation.then_some("--ablation"));
        let output = command.output().with_context(|| format!("failed to start `{}`", program.display()))?;
        if !output.status.success() {
            bail!("`cratekeeper evaluate` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    };
    print!("{}", String::from_utf8_lossy(&run("human")?));
    let document = run("json")?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, &document).with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    let document: Value = serde_json::from_slice(&document).context("failed to read the document")?;
    let all_met = print_requirements(&document["totals"]);
    if arguments.check && !all_met {
        bail!("detection is not as required");
    }
    Ok(())
}

/// Whether everything that was measured is as required. What was not measured is said to be so, and is not met.
fn print_requirements(totals: &Value) -> bool {
    println!("\n{:<28}{:>10}  measured", "required", "");
    let mut all_met = true;
    for Requirement { title, fields, limit } in REQUIREMENTS {
        let sum = |part: &str| -> u64 {
            fields.iter().filter_map(|field| totals.pointer(field)?.get(part)?.as_u64()).sum()
        };
        let (hits, of) = (sum("hits"), sum("of"));
        let (limit, is_met, measured) = match (of, *limit) {
            (0, limit) => (limit, false, "not measured".to_owned()),
            (_, limit) => {
                let percent = 100.0 * hits as f64 / of as f64;
                let is_met = match limit {
                    Limit::AtLeast(least) => percent >= least,
                    Limit::AtMost(most) => percent <= most,
                };
                (limit, is_met, format!("{percent:.1} % ({hits} of {of})"))
            }
        };
        let limit = match limit {
            Limit::AtLeast(percent) => format!(">= {percent} %"),
            Limit::AtMost(percent) => format!("<= {percent} %"),
        };
        println!("{title:<28}{limit:>10}  {measured}{}", if is_met { "" } else { "  NOT MET" });
        all_met &= is_met;
    }
    all_met
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!print_requirements(&json!({})));
    }

    #[test]
    fn shares_of_both_halves_are_added() {
        let good = json!({"hits": 1, "of": 1});
        let none = json!({"hits": 0, "of": 99});
        let mut totals = json!({
            "positives_named": good, "positives_named_held_out": good, "chains_at_alert": good,
            "incidents_caught": good, "twins_at_alert": none, "twins_at_alert_held_out": none,
            "harmless_at_alert": none, "benign": {"at_review": none, "at_alert": none},
            "benign_held_out": {"at_review": none, "at_alert": none},
        });
        assert!(print_requirements(&totals));
        totals["benign"]["at_alert"] = json!({"hits": 9, "of": 99});
        assert!(!print_requirements(&totals));
    }
}
