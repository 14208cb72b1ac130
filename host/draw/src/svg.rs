//! A picture as SVG: self-contained, no script, no external font.

use std::fmt::Write as _;

use crate::picture::{Align, Picture, Shape, Size};

/// Writes a picture as an SVG document.
#[must_use]
pub fn svg(picture: &Picture) -> String {
    let (width, height) = (picture.width, picture.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"'Noto Sans Mono','DejaVu Sans \
         Mono',Menlo,Consolas,monospace\">\n<title>{}</title>\n",
        escape(&picture.title)
    );
    out.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    for shape in &picture.shapes {
        write_shape(&mut out, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn write_shape(out: &mut String, shape: &Shape) {
    // Writing to a string cannot fail.
    let _infallible = match shape {
        Shape::Rect {
            class,
            x,
            y,
            width,
            height,
            fill,
            stroke,
            title,
        } => {
            let fill = fill.map_or_else(|| "none".to_owned(), |colour| colour.hex());
            let stroke = stroke.map_or_else(String::new, |colour| {
                format!(" stroke=\"{}\"", colour.hex())
            });
            let (x, y, width, height) = (num(*x), num(*y), num(*width), num(*height));
            let head = format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" \
                 height=\"{height}\" fill=\"{fill}\"{stroke}"
            );
            match title {
                None => writeln!(out, "{head}/>"),
                Some(title) => writeln!(out, "{head}><title>{}</title></rect>", escape(title)),
            }
        }
        Shape::Line {
            class,
            from,
            to,
            colour,
            dashed,
        } => writeln!(
            out,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\"{}/>",
            num(from.0),
            num(from.1),
            num(to.0),
            num(to.1),
            colour.hex(),
            if *dashed {
                " stroke-dasharray=\"4 3\""
            } else {
                ""
            }
        ),
        Shape::Text {
            class,
            x,
            y,
            size,
            align,
            vertical,
            bold,
            colour,
            text,
        } => {
            let anchor = match align {
                Align::Start => "start",
                Align::Middle => "middle",
                Align::End => "end",
            };
            let (x, y) = (num(*x), num(*y));
            let turn = if *vertical {
                format!(" transform=\"rotate(-90 {x} {y})\"")
            } else {
                String::new()
            };
            let weight = if *bold { " font-weight=\"bold\"" } else { "" };
            // The width is stated, so that another font than expected cannot make labels collide.
            writeln!(
                out,
                "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{}\" \
                 text-anchor=\"{anchor}\" dominant-baseline=\"central\" textLength=\"{}\" \
                 lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{weight}{turn}>{}</text>",
                font_size(*size),
                num(size.width(text)),
                colour.hex(),
                escape(text)
            )
        }
    };
}

const fn font_size(size: Size) -> f64 {
    match size {
        Size::Small => 9.2,
        Size::Normal => 11.7,
    }
}

/// A number with at most two decimals, so that the same picture has the same bytes everywhere.
fn num(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}
