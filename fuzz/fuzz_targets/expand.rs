//! Any text as a macro definition and the arguments of a call.
//!
//! A zero byte stands between the two. The expansion is given to the same macro once more, because groups only come up in
//! what a macro wrote. Seeds are the definitions and calls of real crates.

#![no_main]

use cratekeeper_expand::{Edition, Limits, MacroDefinition};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some((rules, arguments)) = text.split_once('\0') else { return };
    let limits = Limits { output_bytes: 1 << 20, steps: 200_000, nesting: 200 };
    for edition in [Edition::Edition2015, Edition::Edition2021, Edition::Edition2024] {
        let Ok(definition) = MacroDefinition::parse(rules, edition) else { continue };
        let mut arguments = arguments.to_owned();
        for _ in 0..2 {
            let Ok(expansion) = definition.expand(&arguments, "krate", &limits) else { break };
            assert!(expansion.text.len() <= limits.output_bytes);
            arguments = expansion.text;
        }
    }
});
