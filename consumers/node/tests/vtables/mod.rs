//! Reads the names of all vtables out of a program's DWARF, where a vtable is a variable named
//! `<Type as path::Trait<Args>>::{vtable}`. The symbol table does not have them: vtables are anonymous there.

use gimli::{AttributeValue, DwAt, DwTag, Dwarf, EndianSlice, RunTimeEndian};
use object::{Object, ObjectSection};
use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::path::Path;

const ENDINGS: [&str; 2] = ["::{vtable}", "::{vtable_type}"];

/// The names of all vtables (and types of vtables) in the program, each once.
pub(crate) fn names(program: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let file = fs::read(program)?;
    let object = object::File::parse(&*file)?;
    let section = |id: gimli::SectionId| -> Result<Cow<'_, [u8]>, object::Error> {
        match object.section_by_name(id.name()) {
            Some(section) => section.uncompressed_data(),
            None => Ok(Cow::Borrowed(&[][..])),
        }
    };
    let endian = if object.is_little_endian() {
        RunTimeEndian::Little
    } else {
        RunTimeEndian::Big
    };
    let sections = gimli::DwarfSections::load(section)?;
    let dwarf = sections.borrow(|bytes| EndianSlice::new(bytes, endian));

    let mut found = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        collect(&dwarf, &unit, &mut found)?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

fn collect(
    dwarf: &Dwarf<Slice<'_>>,
    unit: &gimli::Unit<Slice<'_>>,
    found: &mut Vec<String>,
) -> gimli::Result<()> {
    const TAGS: [DwTag; 2] = [gimli::DW_TAG_variable, gimli::DW_TAG_structure_type];
    const NAME: DwAt = gimli::DW_AT_name;
    let mut entries = unit.entries();
    while let Some(entry) = entries.next_dfs()? {
        if !TAGS.contains(&entry.tag()) {
            continue;
        }
        let Some(name) = entry.attr_value(NAME) else {
            continue;
        };
        if let AttributeValue::DebugInfoRef(_) = name {
            continue;
        }
        let name = dwarf.attr_string(unit, name)?.to_string_lossy();
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(name.into_owned());
        }
    }
    Ok(())
}

/// The trait's own name in a vtable's: `Handler` in `<a::Echo as b::Handler<c::D>>::{vtable}`. `None` for a vtable
/// without a trait (of a `dyn Send`, say).
pub(crate) fn trait_of(vtable: &str) -> Option<&str> {
    let inner = ENDINGS.iter().find_map(|ending| vtable.strip_suffix(ending))?;
    let inner = inner.strip_prefix('<')?.strip_suffix('>')?;
    let path = &inner[top_level_as(inner)? + " as ".len()..];
    let path = path.split('<').next()?;
    path.rsplit("::").next()
}

/// Where the ` as ` is that is not inside the angle brackets of the type in front of it.
fn top_level_as(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            // The arrow of a function's type is no bracket.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && text[at..].starts_with(" as ") => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}

#[test]
fn the_trait_is_found_in_the_name() {
    let cases = [
        ("<a::Echo as b::Handler>::{vtable}", Some("Handler")),
        (
            "<a::Of<<x::Y as z::Sink>::Out> as b::Backend<c::D as e::F>>::{vtable_type}",
            Some("Backend"),
        ),
        (
            "<a::Call<fn(u8) -> u8> as core::ops::Fn<(u8,)>>::{vtable}",
            Some("Fn"),
        ),
        ("<a::Echo as _>::{vtable}", Some("_")),
        ("<a::Echo>::{vtable}", None),
        ("a::Handler", None),
    ];
    for (name, expected) in cases {
        assert_eq!(trait_of(name), expected, "{name}");
    }
}
