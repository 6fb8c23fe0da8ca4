//! Reader: what are the lines of this file, plain or gzip, however long or broken it is?
//!
//! A line is passed on whole up to [`LINE_BYTES_MAX`]; of a longer one only the beginning is
//! kept and the rest is read past, so that a file without line breaks costs no memory. An error
//! says how far the reading came: a truncated gzip shows only at its end.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use crate::{both, exit::Exit, failure::Failure};

/// Longest line that is read, in bytes without its line break.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// How much of a longer line is kept to show it, in bytes.
pub const BEGINNING_BYTES: usize = 200;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line, without its line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line.
    Text(&'a [u8]),
    /// A line beyond [`LINE_BYTES_MAX`].
    TooLong {
        /// Its length.
        bytes: u64,
        /// Its first [`BEGINNING_BYTES`].
        beginning: &'a [u8],
    },
}

/// Why reading ended before the file did.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system or the decompression failed; a truncated gzip ends like this.
    #[error("reading failed after line {line}, at byte {bytes} of the text")]
    Broken {
        /// Complete lines before it.
        line: u64,
        /// Bytes of text (decompressed) before it.
        bytes: u64,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// The file holds a JSON array, perhaps several glued together.
    #[error("line {line} begins a JSON array")]
    Array {
        /// The first line that is not blank.
        line: u64,
    },
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Broken { line, bytes, source } if is_truncation(&source) => Self::new(
                Exit::Error,
                "file_truncated",
                both!(
                    "the compressed file ends in the middle: {line} complete lines ({bytes} bytes of text) could be read",
                    "压缩文件不完整：只读到 {line} 个完整行（{bytes} 字节文本）"
                ),
            )
            .advising(both!("fetch the file again, whole", "请重新获取完整文件")),
            ReadError::Broken { line, bytes, source } => Self::new(
                Exit::Error,
                "file_broken",
                both!(
                    "reading failed after {line} complete lines ({bytes} bytes of text): {source}",
                    "读到第 {line} 个完整行（{bytes} 字节文本）后出错：{source}"
                ),
            ),
            ReadError::Array { line } => Self::new(
                Exit::Error,
                "not_json_lines",
                both!(
                    "line {line} begins a JSON array; JSON lines are expected: one object on each line, no brackets around them, no commas between",
                    "第 {line} 行是 JSON 数组的开头；需要 JSON Lines：每行一个对象，外面没有方括号，之间没有逗号"
                ),
            )
            .advising(both!(
                "convert it, for instance with `jq -c '.[]' FILE`, which also takes several arrays in one file",
                "请先转换，例如 jq -c '.[]' FILE（同一文件含多个数组亦可）"
            )),
        }
    }
}

fn is_truncation(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Hands out one line after the other.
pub struct LineReader<R> {
    source: R,
    /// Number of the line handed out last; 0 before the first.
    line: u64,
    /// Bytes taken from the source.
    bytes: u64,
    /// The line, or its first `LINE_BYTES_MAX` bytes. Never longer.
    buffer: Vec<u8>,
    /// Whether a line that is not blank was met.
    begun: bool,
}

impl<R> fmt::Debug for LineReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineReader")
            .field("line", &self.line)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Opens a file and looks at its first bytes, not at its name, for what it is.
pub fn open(path: &Path) -> Result<LineReader<Box<dyn BufRead + Send>>, Failure> {
    let unusable = |error: &io::Error| Failure::file(path, error);
    let file = File::open(path).map_err(|error| unusable(&error))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let is_gzip = file.fill_buf().map_err(|error| unusable(&error))?.starts_with(&GZIP_MAGIC);
    Ok(LineReader::new(if is_gzip {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    }))
}

impl<R: BufRead> LineReader<R> {
    /// The lines of `source`.
    pub fn new(source: R) -> Self {
        Self { source, line: 0, bytes: 0, buffer: Vec::new(), begun: false }
    }

    /// Number of the line handed out last, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Bytes of memory held for the current line. Does not grow with the length of a line.
    pub fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next line; `None` at the end.
    ///
    /// What stands before a failure without a line break is not handed out: it is not known to be
    /// a line.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        self.buffer.clear();
        let mut length: u64 = 0;
        let mut ended = false;
        while !ended {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(ReadError::Broken { line: self.line, bytes: self.bytes, source });
                }
            };
            if available.is_empty() {
                if length == 0 {
                    return Ok(None);
                }
                break;
            }
            let found = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..found.unwrap_or(available.len())];
            let room = LINE_BYTES_MAX - self.buffer.len();
            self.buffer.extend_from_slice(&part[..part.len().min(room)]);
            length += part.len() as u64;
            ended = found.is_some();
            let taken = part.len() + usize::from(ended);
            self.bytes += taken as u64;
            self.source.consume(taken);
        }
        self.line += 1;

        let mut text = self.buffer.as_slice();
        if self.line == 1 {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        if !self.begun && !text.trim_ascii().is_empty() {
            self.begun = true;
            if text.trim_ascii_start().starts_with(b"[") {
                return Err(ReadError::Array { line: self.line });
            }
        }
        if length > LINE_BYTES_MAX as u64 {
            let beginning = &text[..text.len().min(BEGINNING_BYTES)];
            return Ok(Some(Line::TooLong { bytes: length, beginning }));
        }
        Ok(Some(Line::Text(text.strip_suffix(b"\r").unwrap_or(text))))
    }
}
