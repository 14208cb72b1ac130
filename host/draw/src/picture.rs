//! A picture: rectangles, lines and text, placed in points.
//!
//! Text is in one fixed-width font of two sizes, so that its extent is known here and labels can
//! be kept apart.

/// An RGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Shapes in the order in which they are painted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Points.
    pub width: f64,
    /// Points.
    pub height: f64,
    /// What the picture is of.
    pub title: String,
    /// The shapes.
    pub shapes: Vec<Shape>,
}

/// Size of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Labels.
    Small,
    /// Headings.
    Normal,
}

/// Where a text's given place stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// One thing to paint.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle.
    Rect {
        /// What it stands for, in one word.
        class: &'static str,
        /// Left.
        x: f64,
        /// Top.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// Inside.
        fill: Option<Colour>,
        /// Border, one point wide.
        stroke: Option<Colour>,
        /// Said when it is pointed at.
        title: Option<String>,
    },
    /// A straight line, one point wide.
    Line {
        /// What it stands for, in one word.
        class: &'static str,
        /// From.
        from: (f64, f64),
        /// To.
        to: (f64, f64),
        /// Colour.
        colour: Colour,
        /// Broken into dashes.
        dashed: bool,
    },
    /// Text on one line.
    Text {
        /// What it stands for, in one word.
        class: &'static str,
        /// See `align`.
        x: f64,
        /// Middle of the line; of its left edge if it is vertical.
        y: f64,
        /// Size.
        size: Size,
        /// Which part of the text stands at the place.
        align: Align,
        /// Read from bottom to top.
        vertical: bool,
        /// Heavier.
        bold: bool,
        /// Colour.
        colour: Colour,
        /// The text.
        text: String,
    },
}

// === impl Size ===

impl Size {
    /// Width of each character.
    #[must_use]
    pub const fn advance(self) -> f64 {
        match self {
            Self::Small => 5.5,
            Self::Normal => 7.0,
        }
    }

    /// Height of a line.
    #[must_use]
    pub const fn line(self) -> f64 {
        match self {
            Self::Small => 12.0,
            Self::Normal => 16.0,
        }
    }

    /// Width of a text.
    #[must_use]
    pub fn width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.advance()
    }

    /// A text shortened in its middle to fit a width; `None` where under four characters fit.
    #[must_use]
    pub fn fit(self, text: &str, width: f64) -> Option<String> {
        let room = (width / self.advance()).floor() as usize;
        let characters: Vec<char> = text.chars().collect();
        if characters.len() <= room {
            return Some(text.to_owned());
        }
        if room < 4 {
            return None;
        }
        let tail = (room - 2) / 2;
        let head = room - 2 - tail;
        let mut short: String = characters.iter().take(head).collect();
        short.push_str("..");
        short.extend(characters.iter().skip(characters.len() - tail));
        Some(short)
    }
}

// === impl Shape ===

impl Shape {
    /// The box that a text fills: left, top, width, height.
    #[must_use]
    pub fn text_box(&self) -> Option<(f64, f64, f64, f64)> {
        let Self::Text {
            x,
            y,
            size,
            align,
            vertical,
            text,
            ..
        } = self
        else {
            return None;
        };
        let length = size.width(text);
        let before = match align {
            Align::Start => 0.0,
            Align::Middle => length / 2.0,
            Align::End => length,
        };
        let line = size.line();
        Some(if *vertical {
            // Read upwards: the beginning is at the bottom.
            (x - line / 2.0, y - (length - before), line, length)
        } else {
            (x - before, y - line / 2.0, length, line)
        })
    }

    /// What it stands for.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Rect { class, .. } | Self::Line { class, .. } | Self::Text { class, .. } => class,
        }
    }
}

// === impl Colour ===

impl Colour {
    /// `#rrggbb`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// This colour moved towards another by a share from 0 to 1.
    pub(crate) fn towards(self, other: Self, share: f64) -> Self {
        let mix = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }

    /// From hue (0 to 1, around the circle), saturation and lightness.
    pub(crate) fn hsl(hue: f64, saturation: f64, lightness: f64) -> Self {
        let channel = |offset: f64| {
            let k = (offset + hue * 12.0) % 12.0;
            let a = saturation * lightness.min(1.0 - lightness);
            let value = lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
            (value * 255.0).round().clamp(0.0, 255.0) as u8
        };
        Self(channel(0.0), channel(8.0), channel(4.0))
    }
}
