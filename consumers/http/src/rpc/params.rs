//! The parameters of a call: by place, by name, or both (`doc/JSON-RPC-interface.md` of Core, "Parameter passing").

use super::code;
use super::error::RpcError;
use super::methods::About;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The name under which parameters can be given by place beside others by name.
const ARGS: &str = "args";

/// The parameters of a call, in their order.
pub(super) enum Values<'a> {
    List(Vec<&'a RawValue>),
    /// An array as it was written, of a method that takes any.
    Whole(&'a RawValue),
}

impl<'a> Values<'a> {
    /// Reads the parameters. Fails with the method's help if there are too few or too many, as Core does.
    ///
    /// However many a client sends, no more are kept than the method takes.
    pub(super) fn read(about: &About, params: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let list = match params {
            None => Vec::new(),
            Some(params) if params.get().starts_with('{') => return by_name(about, params),
            Some(params) if about.any => return Ok(Values::Whole(params)),
            Some(params) => by_place(params, about.parameters.len()).ok_or_else(|| wrong_usage(about))?,
        };
        counted(about, list)
    }

    pub(super) fn list(&self) -> &[&'a RawValue] {
        match self {
            Values::List(list) => list,
            Values::Whole(_) => &[],
        }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        match self {
            Values::Whole(array) => to.extend_from_slice(array.get().as_bytes()),
            Values::List(list) => {
                to.push(b'[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        to.push(b',');
                    }
                    to.extend_from_slice(value.get().as_bytes());
                }
                to.push(b']');
            }
        }
    }
}

/// The error for a call that is not as the method is to be called: its help, as Core has it.
pub(super) fn wrong_usage(about: &About) -> RpcError {
    RpcError::new(code::MISC_ERROR, about.help())
}

fn counted<'a>(about: &About, list: Vec<&'a RawValue>) -> Result<Values<'a>, RpcError> {
    if list.len() < about.required {
        return Err(wrong_usage(about));
    }
    Ok(Values::List(list))
}

/// The elements of an array; none if there are more than `most`.
fn by_place(array: &RawValue, most: usize) -> Option<Vec<&RawValue>> {
    let mut reader = serde_json::Deserializer::from_str(array.get());
    reader.deserialize_seq(Places(most)).ok().flatten()
}

/// The members of an object, brought into the order of the method's parameters.
///
/// What is left out between those that are there is null. `args` gives the first ones by place.
fn by_name<'a>(about: &About, object: &'a RawValue) -> Result<Values<'a>, RpcError> {
    let mut reader = serde_json::Deserializer::from_str(object.get());
    // It was read once as part of the body, so it can be read.
    let named = reader.deserialize_map(Names(about));
    let Named { mut slots, args } = named.map_err(|_| RpcError::parse())??;

    let first = slots.iter().position(Option::is_some);
    let mut list = match (args, first) {
        (None, _) => Vec::new(),
        (Some(args), None) if about.any => return Ok(Values::Whole(args)),
        (Some(args), None) => by_place(args, about.parameters.len()).ok_or_else(|| wrong_usage(about))?,
        (Some(args), Some(first)) => by_place(args, first).ok_or_else(|| {
            let name = about.parameter(first);
            RpcError::parameter(format_args!(
                "Parameter {name} specified twice both as positional and named argument"
            ))
        })?,
    };
    let used = slots.iter().rposition(Option::is_some);
    slots.truncate(used.map_or(0, |last| last + 1));
    let rest = slots.into_iter().skip(list.len());
    list.extend(rest.map(|slot| slot.unwrap_or(RawValue::NULL)));
    counted(about, list)
}

/// What an object gave.
struct Named<'a> {
    /// For each of the method's parameters.
    slots: Vec<Option<&'a RawValue>>,
    args: Option<&'a RawValue>,
}

impl<'a> Named<'a> {
    fn put(&mut self, name: &Name, value: &'a RawValue) -> Result<(), RpcError> {
        let slot = match &name.place {
            Some(index) => &mut self.slots[*index],
            None if name.text == ARGS && value.get().starts_with('[') => &mut self.args,
            None => {
                let why = format_args!("Unknown named parameter {}", name.text);
                return Err(RpcError::parameter(why));
            }
        };
        if slot.replace(value).is_some() {
            let why = format_args!("Parameter {} specified multiple times", name.text);
            return Err(RpcError::parameter(why));
        }
        Ok(())
    }
}

struct Names<'m>(&'m About);

impl<'de> Visitor<'de> for Names<'_> {
    type Value = Result<Named<'de>, RpcError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("named parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let slots = vec![None; self.0.parameters.len()];
        let mut named = Ok(Named { slots, args: None });
        while let Some(name) = map.next_key_seed(NameOf(self.0))? {
            let value = map.next_value()?;
            // After the first error the rest is passed over.
            if let Ok(so_far) = &mut named
                && let Err(why) = so_far.put(&name, value)
            {
                named = Err(why);
            }
        }
        Ok(named)
    }
}

/// The name of a parameter.
struct Name {
    /// Which of the method's it is.
    place: Option<usize>,
    text: String,
}

struct NameOf<'m>(&'m About);

impl<'de> DeserializeSeed<'de> for NameOf<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Name, D::Error> {
        reader.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameOf<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        let is_it = |names: &str| names.split('|').any(|one| one == name);
        let place = self.0.parameters.iter().position(|names| is_it(names));
        let text = name.to_owned();
        Ok(Name { place, text })
    }
}

/// An array's elements, or none if there are more than this.
struct Places(usize);

impl<'de> Visitor<'de> for Places {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            if list.len() == self.0 {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            list.push(value);
        }
        Ok(Some(list))
    }
}
