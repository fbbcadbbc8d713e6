//! One file per rule: facts in, findings out.
