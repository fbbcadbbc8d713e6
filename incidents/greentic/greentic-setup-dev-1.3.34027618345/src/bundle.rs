/// Several packs that are set up together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    pub name: String,
    pub packs: Vec<Pack>,
}

/// One part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    pub name: String,
    pub version: (u32, u32, u32),
}

impl Bundle {
    /// Adds a pack, or replaces an older one of the same name.
    pub fn add(&mut self, pack: Pack) {
        match self.packs.iter_mut().find(|it| it.name == pack.name) {
            Some(present) if present.version < pack.version => *present = pack,
            Some(_) => {}
            None => self.packs.push(pack),
        }
    }
}
