//! A picture as PNG: the same shapes on a grid of pixels, with a font that is built in.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster};

use crate::limits::{PNG_PIXELS_MAX, PNG_SCALE};
use crate::picture::{Colour, Picture, Shape, Size};

/// Why there is no PNG.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The picture has more pixels than are drawn.
    #[error("the picture has {pixels} pixels, the limit is {limit}: write an SVG instead")]
    TooLarge {
        /// How many.
        pixels: u64,
        /// The limit.
        limit: u64,
    },
    /// The encoder refused.
    #[error("the PNG could not be written")]
    Encode(#[from] png::EncodingError),
}

/// Paints a picture and encodes it.
///
/// # Errors
/// [`PngError::TooLarge`] for a picture of too many pixels.
pub fn png(picture: &Picture) -> Result<Vec<u8>, PngError> {
    let mut canvas = Canvas::new(picture)?;
    for shape in &picture.shapes {
        canvas.paint(shape);
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, canvas.width, canvas.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&canvas.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

// === impl Canvas ===

impl Canvas {
    fn new(picture: &Picture) -> Result<Self, PngError> {
        let side = |points: f64| (points.ceil() as u32).saturating_mul(PNG_SCALE);
        let (width, height) = (side(picture.width), side(picture.height));
        let pixels = u64::from(width).saturating_mul(height.into());
        if pixels > PNG_PIXELS_MAX {
            return Err(PngError::TooLarge {
                pixels,
                limit: PNG_PIXELS_MAX,
            });
        }
        Ok(Self {
            width,
            height,
            pixels: vec![0xff; pixels as usize * 3],
        })
    }

    fn paint(&mut self, shape: &Shape) {
        let scale = f64::from(PNG_SCALE);
        let at = |points: f64| (points * scale).round() as i64;
        match shape {
            Shape::Rect {
                x,
                y,
                width,
                height,
                fill,
                stroke,
                ..
            } => {
                let (left, top) = (at(*x), at(*y));
                let (right, bottom) = (at(x + width), at(y + height));
                if let Some(fill) = fill {
                    self.fill(left, top, right.max(left + 1), bottom.max(top + 1), *fill);
                }
                if let Some(stroke) = stroke {
                    self.fill(left, top, right + 1, top + 1, *stroke);
                    self.fill(left, bottom, right + 1, bottom + 1, *stroke);
                    self.fill(left, top, left + 1, bottom + 1, *stroke);
                    self.fill(right, top, right + 1, bottom + 1, *stroke);
                }
            }
            Shape::Line {
                from,
                to,
                colour,
                dashed,
                ..
            } => {
                self.line(
                    (at(from.0), at(from.1)),
                    (at(to.0), at(to.1)),
                    *colour,
                    *dashed,
                );
            }
            Shape::Text {
                size,
                vertical,
                bold,
                colour,
                text,
                ..
            } => {
                if let Some((x, y, _, height)) = shape.text_box() {
                    let start = if *vertical {
                        (at(x), at(y + height))
                    } else {
                        (at(x), at(y))
                    };
                    self.text(start, text, *size, *bold, *vertical, *colour);
                }
            }
        }
    }

    fn fill(&mut self, left: i64, top: i64, right: i64, bottom: i64, colour: Colour) {
        for y in top..bottom {
            for x in left..right {
                self.blend(x, y, colour, 255);
            }
        }
    }

    fn line(&mut self, from: (i64, i64), to: (i64, i64), colour: Colour, dashed: bool) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).max(1);
        for step in 0..=steps {
            if dashed && step % 14 >= 8 {
                continue;
            }
            let (x, y) = (from.0 + dx * step / steps, from.1 + dy * step / steps);
            self.fill(x, y, x + 2, y + 2, colour);
        }
    }

    /// `start` is the left upper corner, or the left lower one of vertical text.
    fn text(
        &mut self,
        start: (i64, i64),
        text: &str,
        size: Size,
        bold: bool,
        vertical: bool,
        colour: Colour,
    ) {
        let weight = if bold {
            FontWeight::Bold
        } else {
            FontWeight::Regular
        };
        let raster = match size {
            Size::Small => RasterHeight::Size24,
            Size::Normal => RasterHeight::Size32,
        };
        let advance = (size.advance() * f64::from(PNG_SCALE)) as i64;
        for (index, character) in (0_i64..).zip(text.chars()) {
            let Some(glyph) =
                get_raster(character, weight, raster).or_else(|| get_raster('?', weight, raster))
            else {
                continue;
            };
            for (row, pixels) in (0_i64..).zip(glyph.rows()) {
                for (column, alpha) in (0_i64..).zip(pixels) {
                    let along = index * advance + column;
                    let (x, y) = if vertical {
                        (start.0 + row, start.1 - 1 - along)
                    } else {
                        (start.0 + along, start.1 + row)
                    };
                    self.blend(x, y, colour, *alpha);
                }
            }
        }
    }

    fn blend(&mut self, x: i64, y: i64, colour: Colour, alpha: u8) {
        if x < 0 || y < 0 || x >= i64::from(self.width) || y >= i64::from(self.height) {
            return;
        }
        let Ok(at) = usize::try_from((y * i64::from(self.width) + x) * 3) else {
            return;
        };
        let Some(pixel) = self.pixels.get_mut(at..at + 3) else {
            return;
        };
        for (below, over) in pixel.iter_mut().zip([colour.0, colour.1, colour.2]) {
            let (alpha, over, under) = (u32::from(alpha), u32::from(over), u32::from(*below));
            *below = ((over * alpha + under * (255 - alpha) + 127) / 255) as u8;
        }
    }
}
