//! Server-sent events: the text of `text/event-stream` (HTML Living Standard, section 9.2).

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// One event. Give its text to a [`Writer`](crate::Writer), or append it in a [`Source`](crate::Source).
///
/// ```
/// use sockman_http::sse::Event;
///
/// let mut text = Vec::new();
/// Event::new("two\nlines").name("block").id("7").write(&mut text);
/// assert_eq!(text, b"event: block\nid: 7\ndata: two\ndata: lines\n\n");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'a> {
    name: &'a str,
    id: Option<&'a str>,
    retry: Option<u64>,
    data: &'a str,
}

impl<'a> Event<'a> {
    /// An event with these data, of any number of lines.
    pub fn new(data: &'a str) -> Self {
        Event {
            data,
            ..Event::default()
        }
    }

    /// Its kind; `message` if it has none. What stands behind a line break is left out.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// What a client that connects again says it has seen last (`Last-Event-ID`). What stands behind a line break or a NUL is left
    /// out.
    #[must_use]
    pub fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// After how many milliseconds a client that lost its connection is to come back.
    #[must_use]
    pub fn retry(mut self, millis: u64) -> Self {
        self.retry = Some(millis);
        self
    }

    /// Appends its text.
    pub fn write(&self, to: &mut Vec<u8>) {
        let mut field = |name: &str, value: &str| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(b": ");
            to.extend_from_slice(value.as_bytes());
            to.push(b'\n');
        };
        if !self.name.is_empty() {
            field("event", first_line(self.name));
        }
        if let Some(id) = self.id {
            field("id", first_line(id));
        }
        if let Some(millis) = self.retry {
            field("retry", &millis.to_string());
        }
        for line in lines(self.data) {
            field("data", line);
        }
        to.push(b'\n');
    }
}

/// Appends a comment, which clients ignore: so that nothing on the way takes the connection for dead.
pub fn keep_alive(to: &mut Vec<u8>) {
    to.extend_from_slice(b":\n\n");
}

fn first_line(text: &str) -> &str {
    text.split(['\r', '\n', '\0']).next().unwrap_or_default()
}

/// The lines of a text, whatever ends them: CRLF, LF or CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let after = &text[end..];
        rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
        Some(&text[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: Event<'_>) -> String {
        let mut text = Vec::new();
        event.write(&mut text);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn lines_end_as_the_standard_has_it() {
        assert_eq!(text(Event::new("")), "data: \n\n");
        assert_eq!(
            text(Event::new("a\r\nb\rc\nd\n")),
            "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
        );
    }

    #[test]
    fn fields_cannot_be_smuggled_in() {
        let event = Event::new("x").name("a\ndata: evil").id("1\r\nretry: 0").retry(5);
        assert_eq!(text(event), "event: a\nid: 1\nretry: 5\ndata: x\n\n");
    }
}
