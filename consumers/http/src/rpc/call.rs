//! A call, as the method's function sees it: typed access to what it was given, and where its result goes.

use super::code;
use super::error::RpcError;
use super::instance::Instance;
use super::methods::{About, Place};
use super::params::{Values, wrong_usage};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A call of a method.
pub struct Call<'a> {
    pub(super) about: &'a About,
    /// All methods there are.
    pub(super) all: &'a [About],
    pub(super) values: Values<'a>,
    pub(super) instance: &'a Instance,
    pub(super) user: &'a str,
    pub(super) place: Place,
}

impl<'a> Call<'a> {
    /// The parameter at this place, counted from 0, whether it was given by place or by name. One that was left out is read
    /// as null, so `Option` takes it.
    ///
    /// Fails with [`code::TYPE_ERROR`] if it is of another type. Text that may have escapes in it is a `String`, since a
    /// `&str` can only be what was written word for word. A number with all its digits is an [`Amount`](super::Amount) or a
    /// `&RawValue`.
    pub fn get<T: Deserialize<'a>>(&self, index: usize) -> Result<T, RpcError> {
        let value = self.raw(index).map_or("null", RawValue::get);
        serde_json::from_str(value).map_err(|why| {
            let why = why.to_string();
            // Where in the parameter it is helps nobody.
            let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
            let (place, name) = (index + 1, self.about.parameter(index));
            RpcError::new(
                code::TYPE_ERROR,
                format!("Wrong type passed: position {place} ({name}): {why}"),
            )
        })
    }

    /// The text of the parameter at this place, if there is one.
    pub fn raw(&self, index: usize) -> Option<&'a RawValue> {
        self.values.list().get(index).copied()
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.values.list().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives all parameters back as they were written, as an array.
    pub fn write_all(&self, out: Out<'_>) -> Result<Done, RpcError> {
        let Out(to) = out;
        self.values.write(to);
        Ok(Done(()))
    }

    /// The error for parameters that say nothing the method could do: its help, as for a wrong number of them.
    pub fn wrong_usage(&self) -> RpcError {
        wrong_usage(self.about)
    }

    /// Who calls.
    pub fn user(&self) -> &'a str {
        self.user
    }

    /// What there is to know of the server.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }
}

/// Where a method's result goes.
pub struct Out<'a>(pub(super) &'a mut Vec<u8>);

/// Says that there is a result.
#[derive(Debug)]
pub struct Done(());

impl Out<'_> {
    /// The result is what this is as JSON. Fails, as the server's own fault, if it cannot be written so.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Done, RpcError> {
        serde_json::to_writer(self.0, value)
            .map_err(|why| RpcError::new(code::INTERNAL_ERROR, why.to_string()))?;
        Ok(Done(()))
    }

    /// The result is null.
    pub fn null(self) -> Result<Done, RpcError> {
        self.json(&())
    }
}
