//! The pipeline from packages to cases: fetch, unpack, analyse, judge, in parallel and cached.
