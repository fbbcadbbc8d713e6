//! A small renderer.

/// A colour with four channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color {
    pub red: f32,
    pub green: f32,
    pub blue: f32,
    pub alpha: f32,
}

impl Color {
    pub const BLACK: Color = Color { red: 0.0, green: 0.0, blue: 0.0, alpha: 1.0 };

    pub fn premultiply(self) -> Color {
        Color { red: self.red * self.alpha, green: self.green * self.alpha, blue: self.blue * self.alpha, alpha: self.alpha }
    }
}
