//! What a scenario leaves behind.

use sockman::Conn;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// What the script did, or a peer heard.
    Script(String),
    /// A call of a handler.
    Call {
        /// Which handler, where there are several.
        handler: &'static str,
        /// Its connection, numbered in the order of opening; `None` for calls about no connection.
        conn: Option<usize>,
        /// The callback, with keys and reasons by name.
        call: String,
        /// The bytes it was given; of `received`, those it consumed, in all calls that followed each other.
        data: Vec<u8>,
        /// Of `received`: the bytes that were offered and not consumed, at last.
        left: Vec<u8>,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Script(what) => write!(f, "{what}"),
            Line::Call {
                handler,
                conn,
                call,
                data,
                left,
            } => {
                write!(f, "    {handler}")?;
                if let Some(conn) = conn {
                    write!(f, "#{conn} ")?;
                }
                write!(f, "{call}")?;
                if !data.is_empty() {
                    write!(f, " {}", quoted(data))?;
                }
                if !left.is_empty() {
                    write!(f, ", left {}", quoted(left))?;
                }
                Ok(())
            }
        }
    }
}

/// Bytes for people: the first few, how many, and a number that differs where they do.
pub(super) fn quoted(data: &[u8]) -> String {
    const SHOWN: usize = 32;
    if data.len() <= SHOWN {
        return format!("\"{}\"", data.escape_ascii());
    }
    // FNV-1a.
    let sum = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let start = data[..SHOWN / 2].escape_ascii();
    format!("\"{start}…\" ({} bytes, sum {sum:016x})", data.len())
}

/// What happened, in order. Clones are the same trace, so that several handlers and the script write to it.
#[derive(Clone, Debug, Default)]
pub struct Trace(Rc<RefCell<Written>>);

#[derive(Debug, Default)]
struct Written {
    lines: Vec<Line>,
    /// The connections in the order of opening, with their handler: ids of two loops may be the same.
    conns: Vec<(&'static str, Conn)>,
}

impl Trace {
    /// What happened.
    pub fn lines(&self) -> Vec<Line> {
        self.0.borrow().lines.clone()
    }

    /// The script does something.
    pub fn script(&self, what: impl Into<String>) {
        self.0.borrow_mut().lines.push(Line::Script(what.into()));
    }

    /// Whether this callback, as written here, has come since the script last did something.
    pub fn has(&self, expected: &str) -> bool {
        let written = self.0.borrow();
        let step = written.lines.iter().rev();
        step.take_while(|line| matches!(line, Line::Call { .. }))
            .any(|line| matches!(line, Line::Call { call, .. } if call == expected))
    }

    /// A callback other than `received`.
    pub fn call(&self, handler: &'static str, conn: Option<Conn>, call: String, data: &[u8]) {
        let mut written = self.0.borrow_mut();
        let conn = conn.map(|conn| written.number(handler, conn));
        written.lines.push(Line::Call {
            handler,
            conn,
            call,
            data: data.to_vec(),
            left: Vec::new(),
        });
    }

    /// `received`, with what it consumed and what it left. Adds to the line before if that is of the same connection.
    pub fn received(&self, handler: &'static str, conn: Conn, taken: &[u8], rest: &[u8]) {
        let mut written = self.0.borrow_mut();
        let number = written.number(handler, conn);
        if let Some(Line::Call {
            handler: same,
            conn: Some(last),
            call,
            data,
            left,
        }) = written.lines.last_mut()
            && (*same, *last, &call[..]) == (handler, number, "received")
        {
            data.extend_from_slice(taken);
            *left = rest.to_vec();
            return;
        }
        written.lines.push(Line::Call {
            handler,
            conn: Some(number),
            call: "received".to_owned(),
            data: taken.to_vec(),
            left: rest.to_vec(),
        });
    }
}

impl Written {
    /// The connection's number; the next one if it has none yet.
    fn number(&mut self, handler: &'static str, conn: Conn) -> usize {
        let known = self.conns.iter().position(|known| *known == (handler, conn));
        known.unwrap_or_else(|| {
            self.conns.push((handler, conn));
            self.conns.len() - 1
        }) + 1
    }
}
