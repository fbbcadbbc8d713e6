//! Colours as hue, saturation and lightness.

/// A colour of the screen, each part from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Hue in degrees, saturation and lightness from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hsl {
    pub hue: f32,
    pub saturation: f32,
    pub lightness: f32,
}

impl From<Rgb> for Hsl {
    fn from(Rgb(red, green, blue): Rgb) -> Hsl {
        let [red, green, blue] = [red, green, blue].map(|it| f32::from(it) / 255.0);
        let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
        let (range, lightness) = (high - low, (high + low) / 2.0);
        if range == 0.0 {
            return Hsl { hue: 0.0, saturation: 0.0, lightness };
        }
        let saturation = range / (1.0 - (2.0 * lightness - 1.0).abs());
        let sixth = if high == red {
            (green - blue) / range
        } else if high == green {
            (blue - red) / range + 2.0
        } else {
            (red - green) / range + 4.0
        };
        Hsl { hue: (sixth * 60.0).rem_euclid(360.0), saturation, lightness }
    }
}

impl Hsl {
    pub fn lighten(self, by: f32) -> Hsl {
        Hsl { lightness: (self.lightness + by).clamp(0.0, 1.0), ..self }
    }

    pub fn rotate(self, degrees: f32) -> Hsl {
        Hsl { hue: (self.hue + degrees).rem_euclid(360.0), ..self }
    }
}
