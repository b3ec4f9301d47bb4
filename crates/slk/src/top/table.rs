//! The table as text, for `--once`.

use clap::ValueEnum;

use super::rows::{Column, Rows};

/// Columns as wide as what stands in them; numbers to the right.
pub(super) fn lines(rows: &Rows) -> Vec<String> {
    let columns = Column::value_variants();
    let titles: Vec<String> = columns.iter().map(|column| column.title().to_owned()).collect();
    let cells = rows.rows.iter().map(|row| columns.iter().map(|&column| row.cell(column)).collect());
    let all: Vec<Vec<String>> = std::iter::once(titles).chain(cells).collect();
    let width = |index: usize| all.iter().map(|line| line[index].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    all.iter().map(|line| join(line, &widths)).collect()
}

fn join(cells: &[String], widths: &[usize]) -> String {
    let last = cells.len() - 1;
    let padded = cells.iter().zip(widths).enumerate().map(|(index, (cell, &width))| match index {
        0 => format!("{cell:<width$}"),
        // Words to the left.
        index if index == last => cell.clone(),
        _ => format!("{cell:>width$}"),
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Order, tests::snapshot};
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = Rows::between(Some(&snapshot(1)), &snapshot(2), Order::by(Column::Name));
        let lines = lines(&rows);
        assert_eq!(lines.len(), 6);
        let at = lines[0].find("STATE").expect("the last title");
        assert_eq!(lines[1].find("2 peers"), Some(at));
        assert_eq!(lines[5].find("away"), Some(at));
        assert!(lines[2].starts_with("  DEALER quick"));
    }
}
