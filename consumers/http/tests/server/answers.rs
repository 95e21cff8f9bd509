//! What a client hears, taken apart: each answer's status, fields and body, by the framing that its head tells.

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether all of the body came.
    pub(crate) is_whole: bool,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

/// Takes apart what was heard in answer to requests with these methods, by name; where there are more answers than names the
/// rest are of `GET`. Panics on what is no answer. The last answer may not be whole.
pub(crate) fn answers(mut heard: &[u8], methods: &[&str]) -> Vec<Answer> {
    let mut all = Vec::new();
    let mut methods = methods.iter();
    let mut method = methods.next();
    while !heard.is_empty() {
        let Some(end) = heard.windows(4).position(|four| four == b"\r\n\r\n") else {
            all.push(Answer::default());
            break;
        };
        let (top, rest) = heard.split_at(end + 4);
        let mut answer = head_of(std::str::from_utf8(&top[..end]).expect("ASCII"));
        let has_none = matches!(answer.status, 100..=199 | 204 | 304) || method == Some(&"HEAD");
        heard = if has_none {
            answer.is_whole = true;
            rest
        } else if answer.field("transfer-encoding") == Some("chunked") {
            chunks(rest, &mut answer)
        } else if let Some(length) = answer.field("content-length") {
            let length: usize = length.parse().expect("a length");
            let count = length.min(rest.len());
            answer.body = rest[..count].to_vec();
            answer.is_whole = count == length;
            &rest[count..]
        } else {
            assert!(answer.closes(), "no length, and the connection stays");
            answer.body = rest.to_vec();
            answer.is_whole = true;
            &[]
        };
        if answer.status >= 200 {
            method = methods.next();
        }
        all.push(answer);
    }
    all
}

fn head_of(text: &str) -> Answer {
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.unwrap_or_else(|| panic!("no status line: {text:?}"));
    let field = |line: &str| {
        let (name, value) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("no field: {line:?}"));
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Answer {
        status: status[..3].parse().expect("a status"),
        fields: lines.map(field).collect(),
        ..Answer::default()
    }
}

/// Reads chunks; what follows them.
fn chunks<'a>(mut rest: &'a [u8], answer: &mut Answer) -> &'a [u8] {
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return &[];
        };
        let size = std::str::from_utf8(&rest[..line]).expect("ASCII");
        let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("no size: {size:?}"));
        rest = &rest[line + 2..];
        let count = size.min(rest.len());
        answer.body.extend_from_slice(&rest[..count]);
        if rest.len() < size + 2 {
            return &[];
        }
        assert_eq!(&rest[size..size + 2], b"\r\n", "a chunk of another size");
        rest = &rest[size + 2..];
        if size == 0 {
            answer.is_whole = true;
            return rest;
        }
    }
}
