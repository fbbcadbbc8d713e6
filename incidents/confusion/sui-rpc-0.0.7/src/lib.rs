//! Requests to a node and their answers.

/// Names an object of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId(String);

impl ObjectId {
    /// Reads an identifier: `0x` and up to 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<ObjectId> {
        let digits = text.strip_prefix("0x")?;
        let valid = !digits.is_empty() && digits.len() <= 64 && digits.bytes().all(|it| it.is_ascii_hexdigit());
        valid.then(|| ObjectId(format!("0x{digits:0>64}")))
    }
}

/// One request for an object.
#[derive(Clone, Debug)]
pub struct GetObject {
    pub object: ObjectId,
    pub version: Option<u64>,
}

impl GetObject {
    pub fn latest(object: ObjectId) -> GetObject {
        GetObject { object, version: None }
    }
}
