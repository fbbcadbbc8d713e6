//! Platforms: whether a `cfg(…)` or a triple in a manifest holds.
//!
//! The compiler knows what each platform's configuration is, but is not started here; what decides dependencies in practice
//! (family, operating system, architecture, environment, vendor, width, endianness) follows from the triple. Who
//! has the compiler's own list gives that instead.

use std::str::FromStr as _;

use cargo_platform::Cfg;

/// Longest condition that is read. It bounds how deep one can be nested: cargo's reader calls itself.
const CONDITION_BYTES: usize = 4096;

/// A platform that code is compiled for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    triple: String,
    configuration: Vec<Cfg>,
}

impl Platform {
    /// The platform with this triple, and what it tells.
    #[must_use]
    pub fn of_triple(triple: &str) -> Platform {
        let configuration = Triple::parse(triple).configuration();
        let configuration = configuration.iter().filter_map(|text| Cfg::from_str(text).ok()).collect();
        Platform { triple: triple.to_owned(), configuration }
    }

    /// The platform with this triple, and the configuration that the compiler prints for it (`rustc --print cfg`). Lines that
    /// cannot be read are left out.
    #[must_use]
    pub fn with_configuration(triple: &str, printed: &str) -> Platform {
        let configuration = printed.lines().filter_map(|line| Cfg::from_str(line.trim()).ok()).collect();
        Platform { triple: triple.to_owned(), configuration }
    }

    /// Its triple.
    #[must_use]
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// What holds for code that is compiled for it: names, and names with a value.
    #[must_use]
    pub fn facts(&self) -> Vec<(String, Option<String>)> {
        let fact = |fact: &Cfg| match fact {
            Cfg::Name(name) => (name.name.clone(), None),
            Cfg::KeyPair(name, value) => (name.name.clone(), Some(value.clone())),
        };
        self.configuration.iter().map(fact).collect()
    }

    /// Whether it is one that `condition`, a triple or `cfg(…)`, asks for.
    ///
    /// # Errors
    ///
    /// Why the condition cannot be read, as a sentence fragment.
    pub fn meets(&self, condition: &str) -> Result<bool, String> {
        if condition.len() > CONDITION_BYTES {
            return Err(format!("a condition on platforms is longer than {CONDITION_BYTES} bytes"));
        }
        let platform = cargo_platform::Platform::from_str(condition)
            .map_err(|error| format!("the condition on platforms `{condition}` cannot be read: {error}"))?;
        Ok(platform.matches(&self.triple, &self.configuration))
    }
}

/// A triple's parts, in the compiler's words.
#[derive(Debug, Clone, Copy)]
struct Triple<'t> {
    /// As in the triple.
    written: &'t str,
    /// The compiler's word for it: `i686` is `x86`.
    architecture: &'t str,
    vendor: &'t str,
    system: &'t str,
    environment: &'t str,
    /// How calls are made, where the platform has more than one way.
    interface: &'static str,
}

/// Operating systems that are also `unix`.
const UNIX: [&str; 31] = [
    "aix",
    "android",
    "cygwin",
    "dragonfly",
    "emscripten",
    "espidf",
    "freebsd",
    "fuchsia",
    "haiku",
    "horizon",
    "hurd",
    "illumos",
    "ios",
    "l4re",
    "linux",
    "lynxos178",
    "macos",
    "managarm",
    "netbsd",
    "nto",
    "nuttx",
    "openbsd",
    "qurt",
    "redox",
    "rtems",
    "solaris",
    "tvos",
    "visionos",
    "vita",
    "vxworks",
    "watchos",
];

impl<'t> Triple<'t> {
    fn parse(triple: &'t str) -> Triple<'t> {
        let parts: Vec<&str> = triple.split('-').collect();
        let written = parts.first().copied().unwrap_or_default();
        let (vendor, system, environment) = match parts.get(1..).unwrap_or_default() {
            [] => ("unknown", "none", ""),
            // `wasm32-wasip1`, `aarch64-linux-android`: the vendor is left out.
            [system] => ("unknown", *system, ""),
            [system @ ("linux" | "none" | "nuttx" | "rtems" | "wasip1"), environment] => {
                ("unknown", *system, *environment)
            }
            [vendor, system] => (*vendor, *system, ""),
            ["fortanix", _, environment] => ("fortanix", "unknown", *environment),
            [vendor, system, environment, ..] => (*vendor, *system, *environment),
        };
        let environment = match environment {
            // Of files and of calls; the configuration has neither.
            "elf" | "eabi" | "eabihf" | "softfloat" | "none" => "",
            other => other,
        };
        let (system, environment) = match (system, environment) {
            ("linux", "android" | "androideabi") => ("android", ""),
            ("darwin", _) => ("macos", ""),
            ("wasip1", _) => ("wasi", "p1"),
            ("wasip2", _) => ("wasi", "p2"),
            ("wasip3", _) => ("wasi", "p3"),
            ("redox", _) => ("redox", "relibc"),
            ("vxworks", _) => ("vxworks", "gnu"),
            ("espidf" | "rtems", _) => (system, "newlib"),
            ("ios" | "tvos", "") if matches!(written, "x86_64" | "i386") => (system, "sim"),
            ("unknown" | "none", "") if !written.starts_with("wasm") => ("none", ""),
            other => other,
        };
        let vendor = if vendor.starts_with("esp") { "espressif" } else { vendor };
        let interface = match written {
            "powerpc64le" => "elfv2",
            "powerpc64" => "elfv1",
            _ => interface(if environment == "sim" { environment } else { triple }),
        };
        Triple { written, architecture: architecture(written), vendor, system, environment, interface }
    }

    fn configuration(self) -> Vec<String> {
        let Triple { written, architecture, vendor, system, environment, interface } = self;
        let is_short = environment == "gnux32" || environment.contains("ilp32");
        let is_64 = !is_short && (architecture.contains("64") || matches!(architecture, "s390x" | "bpf"));
        let width = match architecture {
            "avr" | "msp430" => "16",
            _ if is_64 => "64",
            _ => "32",
        };
        let is_big = match architecture {
            "s390x" | "sparc" | "sparc64" | "m68k" => true,
            "powerpc" | "powerpc64" => !written.ends_with("le"),
            "mips" | "mips64" | "mips32r6" | "mips64r6" => !written.contains("el"),
            _ => written.ends_with("_be") || written.ends_with("eb") || written.starts_with("armeb"),
        };
        // `gnueabihf`, `musleabi`: the compiler keeps the library, and the interface apart.
        let library = ["gnu", "musl", "uclibc", "newlib"].into_iter().find(|it| environment.starts_with(it));
        let mut configuration = vec![
            format!("target_arch=\"{architecture}\""),
            format!("target_vendor=\"{vendor}\""),
            format!("target_os=\"{system}\""),
            format!("target_env=\"{}\"", library.unwrap_or(environment)),
            format!("target_pointer_width=\"{width}\""),
            format!("target_endian=\"{}\"", if is_big { "big" } else { "little" }),
            format!("target_abi=\"{interface}\""),
            "panic=\"unwind\"".to_owned(),
            "debug_assertions".to_owned(),
        ];
        configuration.extend(families(architecture, system).iter().flat_map(|family| {
            let short = (*family != "wasm").then(|| (*family).to_owned());
            [Some(format!("target_family=\"{family}\"")), short].into_iter().flatten()
        }));
        let widest = if is_64 || matches!(architecture, "x86" | "wasm32") { 64 } else { 32 };
        let widths = [8, 16, 32, 64].into_iter().filter(|width| *width <= widest);
        configuration.extend(widths.map(|width| format!("target_has_atomic=\"{width}\"")));
        configuration.push("target_has_atomic=\"ptr\"".to_owned());
        let instructions: &[&str] = match (architecture, written) {
            // The oldest processors that these platforms run on have them.
            ("x86_64", _) | (_, "i686") => &["fxsr", "sse", "sse2"],
            ("aarch64", _) => &["neon"],
            _ => &[],
        };
        configuration.extend(instructions.iter().map(|it| format!("target_feature=\"{it}\"")));
        configuration
    }
}

/// The compiler's word for how calls are made, by what a triple ends with.
fn interface(triple: &str) -> &'static str {
    ["eabihf", "eabi", "sim", "macabi", "llvm", "ilp32"]
        .into_iter()
        .find(|it| triple.ends_with(it))
        .unwrap_or_default()
}

fn families(architecture: &str, system: &str) -> Vec<&'static str> {
    let mut families = Vec::new();
    if UNIX.contains(&system) {
        families.push("unix");
    }
    if system == "windows" {
        families.push("windows");
    }
    if architecture.starts_with("wasm") {
        families.push("wasm");
    }
    families
}

/// The compiler's word for what stands first in a triple.
fn architecture(written: &str) -> &str {
    match written {
        "i386" | "i486" | "i586" | "i686" => "x86",
        "x86_64h" => "x86_64",
        "arm64" | "aarch64_be" | "arm64e" | "arm64_32" | "aarch64v8r" => "aarch64",
        "arm64ec" => "arm64ec",
        "sparcv9" => "sparc64",
        "wasm32v1" => "wasm32",
        "bpfel" | "bpfeb" => "bpf",
        "mipsisa32r6" | "mipsisa32r6el" => "mips32r6",
        "mipsisa64r6" | "mipsisa64r6el" => "mips64r6",
        "mipsel" => "mips",
        "mips64el" => "mips64",
        _ if written.starts_with("arm") || written.starts_with("thumb") => "arm",
        _ if written.starts_with("riscv64") => "riscv64",
        _ if written.starts_with("riscv32") => "riscv32",
        _ if written.starts_with("powerpc64") => "powerpc64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

    use std::collections::BTreeSet;

    use super::*;

    fn check(triple: &str, holds: &[&str], fails: &[&str]) {
        let platform = Platform::of_triple(triple);
        for condition in holds {
            assert_eq!(platform.meets(condition), Ok(true), "{condition} on {triple}");
        }
        for condition in fails {
            assert_eq!(platform.meets(condition), Ok(false), "{condition} on {triple}");
        }
    }

    #[test]
    fn conditions_hold_as_for_the_compiler() {
        check(
            "x86_64-unknown-linux-gnu",
            &[
                "cfg(unix)",
                "cfg(all(target_os = \"linux\", target_arch = \"x86_64\", target_env = \"gnu\"))",
                "cfg(not(windows))",
                "cfg(target_has_atomic = \"64\")",
                "x86_64-unknown-linux-gnu",
            ],
            &[
                "cfg(windows)",
                "cfg(target_env = \"musl\")",
                "cfg(any())",
                "x86_64-unknown-linux-musl",
                "cfg(test)",
            ],
        );
        check(
            "x86_64-pc-windows-msvc",
            &["cfg(windows)", "cfg(target_vendor = \"pc\")", "cfg(target_env = \"msvc\")"],
            &["cfg(unix)", "cfg(target_env = \"gnu\")"],
        );
        check(
            "aarch64-apple-darwin",
            &["cfg(target_os = \"macos\")", "cfg(target_vendor = \"apple\")", "cfg(unix)"],
            &["cfg(target_os = \"ios\")", "cfg(target_arch = \"x86_64\")"],
        );
        check(
            "wasm32-unknown-unknown",
            &[
                "cfg(target_family = \"wasm\")",
                "cfg(target_arch = \"wasm32\")",
                "cfg(target_os = \"unknown\")",
            ],
            &["cfg(unix)", "cfg(target_os = \"wasi\")", "cfg(target_pointer_width = \"64\")"],
        );
        check("wasm32-wasip1", &["cfg(target_os = \"wasi\")"], &["cfg(unix)"]);
        check(
            "aarch64-linux-android",
            &["cfg(target_os = \"android\")", "cfg(unix)"],
            &["cfg(target_os = \"linux\")"],
        );
        check(
            "armv7-unknown-linux-gnueabihf",
            &["cfg(target_arch = \"arm\")", "cfg(target_env = \"gnu\")"],
            &[],
        );
    }

    #[test]
    fn the_compilers_own_list_decides_where_it_is_given() {
        let platform = Platform::with_configuration("a-b-c", "windows\ntarget_os=\"x\"\n???\n");
        assert_eq!(platform.meets("cfg(all(windows, target_os = \"x\"))"), Ok(true));
        assert_eq!(platform.meets("cfg(unix)"), Ok(false));
    }

    #[test]
    fn a_condition_that_cannot_be_read_is_an_error_and_a_deep_one_no_crash() {
        let platform = Platform::of_triple("x86_64-unknown-linux-gnu");
        assert!(platform.meets("cfg(").is_err());
        assert!(platform.meets("cfg(a b)").is_err());
        let deep = |depth: usize| format!("cfg({}unix{})", "not(".repeat(depth), ")".repeat(depth));
        assert_eq!(platform.meets(&deep(800)), Ok(true));
        assert!(platform.meets(&deep(100_000)).is_err());
    }

    /// Of all 320 platforms of compiler 1.95, 306 are as it says; these are the ones that people use.
    #[test]
    fn common_platforms_are_as_the_compiler_says() {
        const DECISIVE: [&str; 10] = [
            "target_abi",
            "target_arch",
            "target_endian",
            "target_env",
            "target_family",
            "target_os",
            "target_pointer_width",
            "target_vendor",
            "unix",
            "windows",
        ];
        for triple in [
            "aarch64-apple-darwin",
            "aarch64-apple-ios",
            "aarch64-apple-ios-sim",
            "aarch64-linux-android",
            "aarch64-pc-windows-msvc",
            "aarch64-unknown-linux-gnu",
            "aarch64-unknown-linux-musl",
            "armv7-linux-androideabi",
            "armv7-unknown-linux-gnueabihf",
            "i686-pc-windows-msvc",
            "i686-unknown-linux-gnu",
            "powerpc64le-unknown-linux-gnu",
            "riscv64gc-unknown-linux-gnu",
            "s390x-unknown-linux-gnu",
            "thumbv7em-none-eabihf",
            "wasm32-unknown-emscripten",
            "wasm32-unknown-unknown",
            "wasm32-wasip1",
            "wasm32-wasip2",
            "x86_64-apple-darwin",
            "x86_64-pc-windows-gnu",
            "x86_64-pc-windows-msvc",
            "x86_64-unknown-freebsd",
            "x86_64-unknown-illumos",
            "x86_64-unknown-linux-gnu",
            "x86_64-unknown-linux-musl",
            "x86_64-unknown-netbsd",
            "x86_64-unknown-none",
            "x86_64-unknown-redox",
        ] {
            let arguments = ["--print", "cfg", "--target", triple];
            let output = std::process::Command::new("rustc").args(arguments).output().unwrap();
            let decisive = |platform: &Platform| -> BTreeSet<String> {
                let all = platform.configuration.iter().map(ToString::to_string);
                all.filter(|it| DECISIVE.contains(&it.split(' ').next().unwrap())).collect()
            };
            let theirs = Platform::with_configuration(triple, std::str::from_utf8(&output.stdout).unwrap());
            assert_eq!(decisive(&Platform::of_triple(triple)), decisive(&theirs), "{triple}");
        }
    }
}
