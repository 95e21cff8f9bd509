//! What can be called: a table of functions, with their parameters' names and their help.

use super::call::{Call, Done, Out};
use super::error::RpcError;
use std::fmt::Write as _;

/// What carries out a method: a plain function of the caller's state, of the call, and of where the result goes.
///
/// ```
/// use sockman_http::rpc::{Call, Done, Out, RpcError};
/// struct Chain { blocks: u32 }
/// fn getblockcount(chain: &Chain, _: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
///     out.json(&chain.blocks)
/// }
/// ```
pub type Run<C> = fn(&C, &Call<'_>, Out<'_>) -> Result<Done, RpcError>;

/// Where a method runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the loop: what takes microseconds and waits for nothing.
    Loop,
    /// On one of the workers: what computes, reads files or waits.
    Worker,
}

/// What is known of a method, its function apart.
#[derive(Clone, Debug)]
pub struct About {
    pub(super) name: &'static str,
    /// The names of each parameter, in their order, with `|` between them.
    pub(super) parameters: Vec<&'static str>,
    /// How many of the parameters must be there.
    pub(super) required: usize,
    /// Whether it takes any number of parameters.
    pub(super) any: bool,
    pub(super) place: Place,
    category: &'static str,
    help: &'static str,
}

impl About {
    /// The method's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The name of a parameter, for messages.
    pub(super) fn parameter(&self, index: usize) -> &'static str {
        let names = self.parameters.get(index).copied().unwrap_or_default();
        names.split('|').next().unwrap_or_default()
    }

    /// How it is called: its name and its parameters, those in brackets that may be left out.
    fn usage(&self, to: &mut String) {
        to.push_str(self.name);
        for index in 0..self.parameters.len() {
            let name = self.parameter(index);
            if index < self.required {
                let _ = write!(to, " {name}");
            } else {
                let _ = write!(to, " ( {name} )");
            }
        }
    }

    /// How it is called, and what it does.
    pub(super) fn help(&self) -> String {
        let mut text = String::new();
        self.usage(&mut text);
        if !self.help.is_empty() {
            let _ = write!(text, "\n\n{}", self.help);
        }
        text
    }
}

/// A method that is to be entered in [`Methods`].
pub struct Method<C> {
    about: About,
    run: Run<C>,
}

impl<C> Method<C> {
    /// A method that takes no parameters, and runs on the loop.
    pub fn new(name: &'static str, run: Run<C>) -> Self {
        let about = About {
            name,
            parameters: Vec::new(),
            required: 0,
            any: false,
            place: Place::Loop,
            category: "Other",
            help: "",
        };
        Method { about, run }
    }

    /// It takes one more parameter, which must be there. `name` may have several names, as `verbosity|verbose`.
    #[must_use]
    pub fn required(mut self, name: &'static str) -> Self {
        self.about.parameters.push(name);
        self.about.required = self.about.parameters.len();
        self
    }

    /// It takes one more parameter, which may be left out.
    #[must_use]
    pub fn optional(mut self, name: &'static str) -> Self {
        self.about.parameters.push(name);
        self
    }

    /// It takes any number of parameters; those that were named so far can be given by name. They are read by
    /// [`Call::write_all`] only.
    #[must_use]
    pub fn any(mut self) -> Self {
        self.about.any = true;
        self
    }

    /// It computes long, or waits: it runs on a worker.
    #[must_use]
    pub fn on_worker(mut self) -> Self {
        self.about.place = Place::Worker;
        self
    }

    /// What it does, and the heading under which `help` lists it.
    #[must_use]
    pub fn help(mut self, category: &'static str, text: &'static str) -> Self {
        self.about.category = category;
        self.about.help = text;
        self
    }
}

/// All methods.
///
/// ```
/// use sockman_http::rpc::{Call, Done, Method, Methods, Out, RpcError, code};
///
/// struct Chain { hashes: Vec<String> }
///
/// fn getblockhash(chain: &Chain, call: &Call<'_>, out: Out<'_>) -> Result<Done, RpcError> {
///     let height: usize = call.get(0)?;
///     match chain.hashes.get(height) {
///         Some(hash) => out.json(hash),
///         None => Err(RpcError::new(code::INVALID_PARAMETER, "Block height out of range")),
///     }
/// }
///
/// let methods = Methods::new().with(
///     Method::new("getblockhash", getblockhash)
///         .required("height")
///         .help("Blockchain", "Returns the hash of the block at this height of the best chain."),
/// );
/// ```
pub struct Methods<C> {
    /// By name.
    abouts: Vec<About>,
    /// The function of the method at the same index.
    runs: Vec<Run<C>>,
}

impl<C> Default for Methods<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Methods<C> {
    /// The methods every server has: `echo`, `getrpcinfo`, `help`, `sleep`, `stop` and `uptime`.
    pub fn new() -> Self {
        super::builtin::methods()
    }

    /// None at all.
    pub fn empty() -> Self {
        let (abouts, runs) = (Vec::new(), Vec::new());
        Methods { abouts, runs }
    }

    /// This method too; in the place of one of the same name.
    #[must_use]
    pub fn with(mut self, method: Method<C>) -> Self {
        let Method { about, run } = method;
        match self.search(about.name) {
            Ok(index) => (self.abouts[index], self.runs[index]) = (about, run),
            Err(index) => {
                self.abouts.insert(index, about);
                self.runs.insert(index, run);
            }
        }
        self
    }

    /// These too.
    #[must_use]
    pub fn with_all(self, methods: impl IntoIterator<Item = Method<C>>) -> Self {
        methods.into_iter().fold(self, Self::with)
    }

    /// What is known of each, by name.
    pub fn all(&self) -> &[About] {
        &self.abouts
    }

    pub(super) fn find(&self, name: &str) -> Option<(&About, Run<C>)> {
        let index = self.search(name).ok()?;
        Some((&self.abouts[index], self.runs[index]))
    }

    fn search(&self, name: &str) -> Result<usize, usize> {
        self.abouts.binary_search_by(|about| about.name.cmp(name))
    }
}

/// The text of `help`: how each method is called, under the headings of their categories.
pub(super) fn overview(abouts: &[About]) -> String {
    let mut sorted: Vec<&About> = abouts.iter().collect();
    sorted.sort_by_key(|about| (about.category, about.name));
    let mut text = String::new();
    let mut category = None;
    for about in sorted {
        if category != Some(about.category) {
            let between = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{between}== {} ==", about.category);
            category = Some(about.category);
        }
        about.usage(&mut text);
        text.push('\n');
    }
    text.pop();
    text
}
