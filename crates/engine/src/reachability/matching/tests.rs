//! Paths as advisories write them, against functions as the graph names them.

use proptest::prelude::*;

use super::{AffectedPath, FunctionTable, Reading};

const FUNCTIONS: [&str; 16] = [
    "demo::clean",
    "demo::deep::hidden::read_raw",
    "demo::vec::Vector::insert_many",
    "demo::vec::Vector::grow",
    "<demo::vec::Vector as core::ops::drop::Drop>::drop",
    "<demo::vec::Vector as core::clone::Clone>::clone",
    "demo::codec::Codec::decode",
    "<demo::codec::Json as demo::codec::Codec>::decode",
    "<demo::codec::Text as demo::codec::Codec>::decode",
    "demo::one::decode_all",
    "demo::two::decode_all",
    "demo::lock::Guard::map",
    "demo::lock::Guard::new",
    "demo::pool::ObjectPool::free",
    "<demo::sql::Date as demo::sql::ToSql>::to_sql",
    "<demo::codec::Json as core::clone::Clone>::clone",
];

fn found(path: &str) -> Option<(Reading, Vec<&'static str>)> {
    let table = FunctionTable::new("demo", FUNCTIONS);
    let found = table.find(&AffectedPath::parse(path)?)?;
    Some((found.reading, found.functions.iter().map(|it| FUNCTIONS[*it as usize]).collect()))
}

#[track_caller]
fn check(path: &str, reading: Reading, functions: &[&str]) {
    assert_eq!(found(path), Some((reading, functions.to_vec())), "{path}");
}

#[test]
fn definitions_are_found_by_their_path() {
    check("demo::clean", Reading::Definition, &["demo::clean"]);
    check("demo::clean()", Reading::Definition, &["demo::clean"]);
    check("demo::vec::Vector::grow", Reading::Definition, &["demo::vec::Vector::grow"]);
}

#[test]
fn generic_arguments_do_not_matter() {
    check("demo::pool::ObjectPool<H,T>::free", Reading::Definition, &["demo::pool::ObjectPool::free"]);
    check(
        "demo::pool::ObjectPool::<H, fn() -> T>::free",
        Reading::Definition,
        &["demo::pool::ObjectPool::free"],
    );
}

#[test]
fn re_exports_are_found_by_type_and_method() {
    check("demo::Vector::insert_many", Reading::ReExport, &["demo::vec::Vector::insert_many"]);
    check("demo::read_raw", Reading::ReExport, &["demo::deep::hidden::read_raw"]);
    check("demo::decode_all", Reading::Ambiguous, &["demo::one::decode_all", "demo::two::decode_all"]);
}

#[test]
fn methods_of_traits_are_found_by_type() {
    let drop = "<demo::vec::Vector as core::ops::drop::Drop>::drop";
    check("demo::vec::Vector::drop", Reading::TraitMethodOfType, &[drop]);
    check("demo::Vector::drop", Reading::ReExport, &[drop]);
    check("<demo::Vector as Drop>::drop", Reading::TraitMethodOfType, &[drop]);
    check("<demo::Vector<T> as core::ops::Drop>::drop", Reading::TraitMethodOfType, &[drop]);
}

#[test]
fn methods_of_traits_stand_for_their_implementations() {
    let all = [
        "demo::codec::Codec::decode",
        "<demo::codec::Json as demo::codec::Codec>::decode",
        "<demo::codec::Text as demo::codec::Codec>::decode",
    ];
    check("demo::codec::Codec::decode", Reading::TraitMethod, &all);
    let of_sql = "<demo::sql::Date as demo::sql::ToSql>::to_sql";
    check("demo::sql::ToSql::<Date, Mysql>::to_sql", Reading::TraitMethod, &[of_sql]);
    check("demo::sql::ToSql<Date,Mysql>", Reading::Type, &[of_sql]);
}

#[test]
fn types_and_modules_stand_for_all_that_is_in_them() {
    check("demo::lock::Guard", Reading::Type, &["demo::lock::Guard::map", "demo::lock::Guard::new"]);
    check("demo::Guard", Reading::Type, &["demo::lock::Guard::map", "demo::lock::Guard::new"]);
    check("demo::lock", Reading::Module, &["demo::lock::Guard::map", "demo::lock::Guard::new"]);
}

#[test]
fn near_misses_are_not_found() {
    for path in [
        "demo::cleaner",
        "demo::Vector::shrink",
        "demo::let_string",
        "demo::Decode",
        "<demo::Vector as Clone>::drop",
        "demo::vec::Other::grow",
        "demo::lock::guard",
        "",
        "::",
        "<demo::Vector as Drop",
        "demo::Vector<T",
    ] {
        assert_eq!(found(path), None, "{path}");
    }
}

#[test]
fn a_free_function_is_no_method_and_the_other_way_round() {
    assert_eq!(found("demo::grow"), None);
    assert_eq!(found("demo::Text::clean"), None);
}

#[test]
fn the_crate_may_be_written_as_its_package() {
    let table = FunctionTable::new("demo_crate", ["demo_crate::run"]);
    let path = AffectedPath::parse("demo-crate::run").unwrap();
    assert_eq!(table.find(&path).unwrap().reading, Reading::Definition);
    assert!(table.is_own_name("demo-crate") && !table.is_own_name("demo"));
}

#[test]
fn the_nearest_path_is_proposed() {
    let table = FunctionTable::new("demo", FUNCTIONS);
    let nearest = |text| table.nearest(&AffectedPath::parse(text).unwrap()).map(|it| FUNCTIONS[it as usize]);
    assert_eq!(nearest("demo::vec::Vector::insert_manys"), Some("demo::vec::Vector::insert_many"));
    assert_eq!(nearest("demo::two::decode_al"), Some("demo::two::decode_all"));
    assert_eq!(nearest("demo::xylophone"), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[<>:a-zA ,&*!#-]{0,60}|.{0,60}") {
        let table = FunctionTable::new("demo", FUNCTIONS);
        if let Some(path) = AffectedPath::parse(&text) {
            let _ = (table.find(&path), table.nearest(&path));
        }
    }
}
