//! Definitions of all crates while one of them is still being read.
//!
//! The crate being read joins the [`Universe`] when it is complete; until then whoever follows an id has to look at it apart.

use std::sync::LazyLock;

use crate::definitions::{
    Adt, AdtId, CrateData, CrateIndex, Function, FunctionId, Implementation, ImplementationId, Trait,
    TraitId, Universe, Value, ValueId,
};

static EMPTY: LazyLock<CrateData> = LazyLock::new(CrateData::default);

/// All crates that were read, and the one that is being read.
#[derive(Clone, Copy)]
pub(crate) struct View<'u> {
    pub(crate) universe: &'u Universe,
    pub(crate) current: &'u CrateData,
    pub(crate) index: CrateIndex,
}

impl<'u> View<'u> {
    pub(crate) fn krate(self, index: CrateIndex) -> &'u CrateData {
        if index == self.index {
            return self.current;
        }
        // The standard library's crates refer to each other in a circle; what is not there yet is empty.
        self.universe.known(index).unwrap_or(&EMPTY)
    }

    pub(crate) fn function(self, id: FunctionId) -> &'u Function {
        &self.krate(id.krate).functions[id.index as usize]
    }

    pub(crate) fn adt(self, id: AdtId) -> &'u Adt {
        &self.krate(id.krate).adts[id.index as usize]
    }

    pub(crate) fn of_trait(self, id: TraitId) -> &'u Trait {
        &self.krate(id.krate).traits[id.index as usize]
    }

    pub(crate) fn implementation(self, id: ImplementationId) -> &'u Implementation {
        &self.krate(id.krate).implementations[id.index as usize]
    }

    pub(crate) fn value(self, id: ValueId) -> &'u Value {
        &self.krate(id.krate).values[id.index as usize]
    }
}
