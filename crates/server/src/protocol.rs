//! Cargo's registry protocol: what paths, bodies and index lines look like. No HTTP and no storage.
//!
//! The sources are the Cargo book's chapters "Registry Index" and "Registry Web API", and for what they leave open the behaviour
//! of cargo itself.

mod crate_name;
mod index_line;
mod index_path;
mod publication;
mod requirements;

pub use crate_name::{CrateName, InvalidName};
pub use index_line::{IndexDependency, IndexLine, PublicRegistry};
pub(crate) use index_path::crate_of;
pub use index_path::index_path;
pub use publication::{Publication, PublicationError};
pub use requirements::{MAX_DEPENDENCIES, MAX_FEATURES, missing};
