//! The text that is moved, line by line.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use super::Args;

const SHIPPED_TEXT: &str = include_str!("text.txt");

/// So many lines of the shipped text take a second or two.
const SHIPPED_LINES: u64 = 2_000_000;

/// Every `of`-th line of a text, beginning with the `index`-th.
pub(super) struct Lines {
    text: Text,
    reader: Box<dyn BufRead>,
    left: u64,
    position: u64,
    index: u64,
    of: u64,
}

enum Text {
    Shipped,
    File(PathBuf),
}

impl Lines {
    /// Which lines the user asked for; all shares together have [`total`](Lines::total) of them.
    ///
    /// # Errors
    /// What the system said about the file, and [`io::ErrorKind::UnexpectedEof`] for one without a line.
    pub(super) fn open(args: &Args, index: usize, of: usize) -> io::Result<Lines> {
        let text = args.input.clone().map_or(Text::Shipped, Text::File);
        let mut reader = text.open()?;
        if reader.fill_buf()?.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has no lines"));
        }
        let left = Lines::total(args)?;
        Ok(Lines { text, reader, left, position: 0, index: index as u64, of: of as u64 })
    }

    /// How many lines are to be moved: as many as the user said, else every line of the file once, else a good many.
    pub(super) fn total(args: &Args) -> io::Result<u64> {
        match (args.lines, &args.input) {
            (Some(lines), _) => Ok(lines),
            (None, None) => Ok(SHIPPED_LINES),
            (None, Some(path)) => count_lines(Text::File(path.clone()).open()?),
        }
    }

    /// The next line of this share, without its newline.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        while self.left > 0 {
            let mut line = Vec::new();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                self.reader = self.text.open()?;
                if self.reader.fill_buf()?.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has no lines any more"));
                }
                continue;
            }
            let position = self.position;
            self.position += 1;
            self.left -= 1;
            if position % self.of == self.index {
                line.pop_if(|last| *last == b'\n');
                return Ok(Some(line));
            }
        }
        Ok(None)
    }
}

impl Text {
    fn open(&self) -> io::Result<Box<dyn BufRead>> {
        match self {
            Text::Shipped => Ok(Box::new(Cursor::new(SHIPPED_TEXT))),
            Text::File(path) => Ok(Box::new(BufReader::with_capacity(256 * 1024, open_file(path)?))),
        }
    }
}

/// Refuses what cannot be read again from its beginning: every server reads the text for itself.
fn open_file(path: &Path) -> io::Result<File> {
    // Looked at before it is opened: opening a pipe waits for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}

/// Like the reader, it takes a last line without a newline for a line.
fn count_lines(mut text: impl BufRead) -> io::Result<u64> {
    let (mut lines, mut ends_inside_line) = (0, false);
    loop {
        let piece = text.fill_buf()?;
        let Some(last) = piece.last() else { return Ok(lines + u64::from(ends_inside_line)) };
        ends_inside_line = *last != b'\n';
        lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        let length = piece.len();
        text.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(args: &Args, index: usize) -> Vec<String> {
        let mut lines = Lines::open(args, index, 3).expect("the text opens");
        let mut share = Vec::new();
        while let Some(line) = lines.next_line().expect("the text can be read") {
            share.push(String::from_utf8(line).expect("the text is text"));
        }
        share
    }

    fn file(content: &str) -> (tempfile::TempDir, Args) {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let path = directory.path().join("text");
        std::fs::write(&path, content).expect("a file for the test");
        (directory, Args { input: Some(path), lines: None, unplug: 0, restarts: 0, stats: None })
    }

    #[test]
    fn the_shares_are_disjoint_and_together_the_whole_file() {
        let (_directory, args) = file("a\nb\n\nd\ne");
        assert_eq!(share(&args, 0), ["a", "d"]);
        assert_eq!(share(&args, 1), ["b", "e"]);
        assert_eq!(share(&args, 2), [""]);
    }

    #[test]
    fn a_count_repeats_the_text_or_cuts_it() {
        let (_directory, args) = file("a\nb\n");
        assert_eq!(share(&Args { lines: Some(7), ..args.clone() }, 0), ["a", "b", "a"]);
        assert_eq!(share(&Args { lines: Some(1), ..args }, 1), [""; 0]);
    }

    #[test]
    fn an_empty_file_and_a_directory_are_refused() {
        let (directory, args) = file("");
        assert!(Lines::open(&args, 0, 3).is_err());
        assert!(Lines::open(&Args { input: Some(directory.path().into()), ..args }, 0, 3).is_err());
    }

    #[test]
    fn the_shipped_text_is_long_enough_to_be_cut_into_shares() {
        assert!(SHIPPED_TEXT.lines().count() >= 30);
    }
}
