//! Tests of the console in a real browser. There is nothing here: the tests are in `tests/stories`, in a crate of their own because what drives a
//! browser is nobody's business who builds the program.
