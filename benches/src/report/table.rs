//! Columns of text, and how numbers are written.

use std::fmt::Write;

/// A table whose first column stands on the left and the others on the right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    Cells(Vec<String>),
    Note(String, String),
    Text(String),
}

impl Table {
    /// A table under these headings.
    pub fn new(headings: &[&str]) -> Table {
        let mut table = Table::default();
        table.row(headings.iter().map(|text| (*text).to_owned()));
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.lines.push(Line::Cells(cells.into_iter().collect()));
    }

    /// Adds a row whose other columns are one text.
    pub fn note(&mut self, first: impl Into<String>, text: impl Into<String>) {
        self.lines.push(Line::Note(first.into(), text.into()));
    }

    /// Adds a line across all columns.
    pub fn text(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Text(text.into()));
    }

    /// As text, each line as wide as it must be.
    pub fn render(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for line in &self.lines {
            let cells = match line {
                Line::Cells(cells) => cells,
                Line::Note(first, _) => std::slice::from_ref(first),
                Line::Text(_) => continue,
            };
            widths.resize(widths.len().max(cells.len()), 0);
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Text(text) => out.push_str(text),
                Line::Note(first, text) => {
                    let width = widths.first().copied().unwrap_or(0);
                    write!(out, "{first:<width$}  {text}").ok();
                }
                Line::Cells(cells) => {
                    let mut text = String::new();
                    for (at, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                        if at == 0 {
                            write!(text, "{cell:<width$}").ok();
                        } else {
                            write!(text, "  {cell:>width$}").ok();
                        }
                    }
                    out.push_str(text.trim_end());
                }
            }
            out.push('\n');
        }
        out
    }
}

/// A figure in at most five places.
pub fn figure(value: f64) -> String {
    match value {
        v if v < 99.995 => format!("{v:.2}"),
        v if v < 99_999.5 => format!("{v:.0}"),
        v if v < 999_500.0 => format!("{:.0}k", v / 1e3),
        v => format!("{:.2}M", v / 1e6),
    }
}

/// A ratio in at most four places.
pub fn ratio(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(v) if v < 9.995 => format!("{v:.2}"),
        Some(v) if v < 99.95 => format!("{v:.1}"),
        Some(v) if v < 9999.5 => format!("{v:.0}"),
        // Two rounds that differ give such an end; its size says only that nothing is known.
        Some(v) => format!("{v:.0e}"),
    }
}

/// A figure, or nothing.
pub fn perhaps(value: Option<f64>) -> String {
    value.map(figure).unwrap_or_default()
}

/// A figure with its ratio.
pub fn with_ratio(value: Option<f64>, of_baseline: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) => format!("{} {:>4}", figure(value), ratio(of_baseline)),
    }
}

/// A ratio with the ends of its interval.
pub fn interval(mid: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    let ends = match (low, high) {
        (Some(low), Some(high)) => format!("{}\u{2013}{}", ratio(Some(low)), ratio(Some(high))),
        _ => String::new(),
    };
    format!("{:>4} {ends:>9}", ratio(mid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_to_their_places() {
        for (value, text) in [
            (0.0, "0.00"),
            (99.99, "99.99"),
            (100.0, "100"),
            (1234.5, "1234"),
            (123_456.0, "123k"),
            (1_234_567.0, "1.23M"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(ratio(Some(12.34)), "12.3");
        assert_eq!(ratio(Some(1234.0)), "1234");
        assert_eq!(ratio(Some(23_586_554.0)), "2e7");
        assert_eq!(interval(Some(1.0), Some(0.9), Some(1.1)), "1.00 0.90\u{2013}1.10");
        assert_eq!(interval(None, None, None).trim(), "");
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&["subject", "a"]);
        table.text("heading");
        table.row(["x".to_owned(), "123".to_owned()]);
        table.note("longer subject", "why there is nothing");
        assert_eq!(
            table.render(),
            "subject           a\nheading\nx               123\nlonger subject  why there is nothing\n"
        );
    }
}
