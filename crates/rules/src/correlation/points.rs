//! The one table of what a sign is worth in a chain, and what a chain is worth.
//!
//! Amounts were set so that a complete chain reaches `alert` by itself, and that no two ordinary signs do. What runs on a
//! builder's machine needs no further doubt; what a library does at run time needs to be wrong in itself, because being called
//! to read, send and start is what libraries are for.

use cratekeeper_model::facts::Phase;
use cratekeeper_model::{Confidence, Severity};

use crate::behaviour::{Link, Origin};

/// What one sign is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Added to the chain.
    pub amount: i8,
    /// What was seen, as a sentence fragment.
    pub reason: &'static str,
}

macro_rules! table {
    ($($name:ident: $amount:literal, $reason:literal;)*) => {
        $(pub(crate) const $name: Point = Point { amount: $amount, reason: $reason };)*
        /// Every row, in the order of documents.
        pub const POINTS: &[Point] = &[$($name),*];
    };
}

table! {
    SECRET_FILE: 3, "a file with secrets is read, whose path is a constant of the crate";
    SEVERAL_OWNERS: 2, "secrets of several owners that have nothing to do with each other";
    WALLET_VARIABLE: 3, "a variable with a key that cannot be revoked";
    KEY_TO_CONSTANT: 2, "a key that cannot be revoked goes to an address that its owner did not choose";
    SECRET_VARIABLE: 1, "a variable with a secret";
    SECRET_VARIABLE_AT_BUILD: 2, "a variable with a secret is read during the build";
    ALL_VARIABLES: 2, "all environment variables are collected";
    PICKED_VARIABLES: 1, "they are picked by words such as TOKEN or SECRET";
    USER_SOURCE: 3, "the source of the package's user is read";
    SECRET_PATTERN: 3, "it is searched for keys by pattern";
    SEARCHED_SOURCE: 1, "keys that others left in their source are looked for";
    FILES: 1, "files are read";
    HOST: 1, "facts about the machine or its user are read";

    BY_FLOW: 3, "a value gets from one to the other";
    BY_FUNCTION: 2, "both happen in one function";
    BY_CHAIN: 2, "both happen in one chain of calls";
    BY_FILE: 1, "both stand in one file";
    BY_BUILD: 1, "both happen during the build";

    ADDRESS_HIDDEN: 3, "the address is a hidden constant";
    ADDRESS_CONSTANT: 1, "the address is a constant of the crate";
    SECRET_TO_CONSTANT: 1, "nobody who calls it chooses what is read or where it goes";
    DROP_SERVICE: 2, "it goes to a service where anybody can drop data";
    REPORTS: 3, "whoever builds the package reports to such a service";
    BY_PROGRAM: 1, "another program does the talking";
    AVOIDS_IMPORTS: 4, "it reaches the system in a way that no import shows";
    LOOK_ALIKE_HOST: 1, "the address differs by a letter from another one of the crate";
    ENCODED: 1, "what is sent is encoded or encrypted first";
    CAPTURED: 1, "it becomes part of the compiled program";

    FETCHED: 2, "code comes from the network";
    RAN: 2, "what is run is not a program that was there before";
    WRITTEN: 1, "it is written to a file";
    MADE_EXECUTABLE: 2, "the file is made executable";
    IN_HIDDEN_PLACE: 1, "the file lies in a shared or hidden place";
    IN_ONE_COMMAND: 3, "one command fetches and runs";
    REMOVED: 1, "the file is removed afterwards";
    VERIFIED: -4, "the data is compared with a digest";
    CARRIED: 2, "what is run came inside of the package";
    LINKED: 2, "it is linked into every program that uses the package";
    DISGUISED: 2, "the file in the package does not look like what it becomes";
    DECODED_FIRST: 2, "it is decoded or decrypted first";
    AS_MEMORY: 2, "it is run from memory";

    IN_ONE_TEXT: 3, "one command or script does both";
    VISITOR: 3, "what a browser keeps of whoever reads the page is read";
    OBEYED: 4, "a tool obeys it without being asked";
    OBEYED_ON_REQUEST: 2, "a tool obeys it when its user starts something";
    OUTPUT_HIDDEN: 1, "its output is thrown away";

    HIDDEN_TEXT: 4, "text that took decoding to be seen reaches an operation";
    HIDDEN_TELLING: 2, "the hidden text is an address, a path of secrets or a command";
    HIDDEN_PROGRAM: 3, "the hidden text is the name of a program or function";
    HIDDEN_TWICE: 1, "several texts are hidden";

    STARTS_BY_ITSELF: 5, "something is written to a place that starts programs by itself";
    ACCESS: 2, "the place gives access to the machine";
    PUBLISHES: 4, "a package is published to a registry";
    WITH_TOKEN: 3, "with a token that was not given to it";

    SINK: 3, "it reaches a network, a program or memory that can be run";
    UNUSUAL_PLACE: 3, "the code stands where nobody looks for it";
    GATE_IS_ODD: 2, "an effect that nobody asked for waits for a condition";

    AT_BUILD: 4, "it runs while the package is built";
    BEFORE_MAIN: 4, "it runs before `main`";
    IN_TESTS: 1, "it runs in tests";
    GATE_BUILD_SERVICE: 2, "it depends on whether a build service runs it";
    GATE_TIME: 2, "it begins at a date";
    GATE_ANALYSIS: 2, "it looks for analysis tools first";
    GATE_HOST: 1, "it depends on whose machine it is";
    GATE_CHANCE: 1, "it depends on chance";
    GATE_FEATURE: 1, "it needs a feature that is off by default";
    GATE_TARGET: 1, "it is compiled for some targets only";
    QUIET: 1, "its errors are ignored";
    ON_THREAD: 1, "it runs on a thread of its own";
    SILENT_CHILD: 1, "the program is started without output";
    DETACHED_CHILD: 2, "the program goes on by itself";
    TLS_OFF: 1, "certificates are not checked";
    WAITS: 1, "it waits first";
}

/// What a tie is worth.
pub(crate) fn of_link(link: Link) -> Point {
    match link {
        Link::Flow => BY_FLOW,
        Link::Function => BY_FUNCTION,
        Link::Chain => BY_CHAIN,
        Link::File => BY_FILE,
        Link::Build => BY_BUILD,
    }
}

/// What an address is worth.
pub(crate) fn of_origin(origin: Origin) -> Option<Point> {
    match origin {
        Origin::Hidden => Some(ADDRESS_HIDDEN),
        Origin::Constant => Some(ADDRESS_CONSTANT),
        Origin::Caller => None,
    }
}

/// What a phase is worth.
pub(crate) fn of_phase(phase: Phase) -> Option<Point> {
    match phase {
        Phase::BuildTime => Some(AT_BUILD),
        Phase::BeforeMain => Some(BEFORE_MAIN),
        Phase::Test => Some(IN_TESTS),
        Phase::RunTime | Phase::Unreached => None,
    }
}

/// Points from which a chain is an alert by itself.
pub(crate) const ALERT: i32 = 10;

/// Severity and confidence of a chain with so many points.
pub(crate) fn weight(total: i32) -> Option<(Severity, Confidence)> {
    Some(match total {
        13.. => (Severity::Critical, Confidence::High),
        12 => (Severity::Critical, Confidence::Medium),
        ALERT..=11 => (Severity::High, Confidence::High),
        8..=9 => (Severity::High, Confidence::Medium),
        6..=7 => (Severity::Medium, Confidence::Medium),
        4..=5 => (Severity::Low, Confidence::Medium),
        _ => return None,
    })
}
