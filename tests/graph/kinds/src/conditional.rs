//! The same function twice: the compiler sees the one that features and platform choose.

fn on_helper() -> u32 {
    1
}
fn off_helper() -> u32 {
    0
}

#[cfg(feature = "on")]
pub fn twin() -> u32 {
    on_helper()
}

#[cfg(not(feature = "on"))]
pub fn twin() -> u32 {
    off_helper()
}

#[cfg(unix)]
mod system {
    pub fn name() -> u32 {
        super::on_helper()
    }
}

#[cfg(not(unix))]
mod system {
    pub fn name() -> u32 {
        super::off_helper()
    }
}

#[cfg_attr(feature = "on", path = "conditional/chosen.rs")]
#[cfg_attr(not(feature = "on"), path = "conditional/refused.rs")]
mod file;

pub fn calls_twins() -> u32 {
    twin() + system::name() + file::value()
}

pub fn inside() -> u32 {
    #[cfg(feature = "off")]
    {
        return off_helper();
    }
    if cfg!(feature = "off") {
        return off_helper();
    }
    #[cfg(feature = "on")]
    let value = on_helper();
    #[cfg(not(feature = "on"))]
    let value = off_helper();
    value
}

#[cfg(test)]
mod tests {
    #[test]
    fn twins() {
        super::calls_twins();
    }
}
