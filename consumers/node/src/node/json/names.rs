//! What operations are called in disassembled scripts (Core's `GetOpName`).

/// From `OP_NOP` to `OP_CHECKSIGADD`.
const NAMES: [&str; 90] = [
    "OP_NOP",
    "OP_VER",
    "OP_IF",
    "OP_NOTIF",
    "OP_VERIF",
    "OP_VERNOTIF",
    "OP_ELSE",
    "OP_ENDIF",
    "OP_VERIFY",
    "OP_RETURN",
    "OP_TOALTSTACK",
    "OP_FROMALTSTACK",
    "OP_2DROP",
    "OP_2DUP",
    "OP_3DUP",
    "OP_2OVER",
    "OP_2ROT",
    "OP_2SWAP",
    "OP_IFDUP",
    "OP_DEPTH",
    "OP_DROP",
    "OP_DUP",
    "OP_NIP",
    "OP_OVER",
    "OP_PICK",
    "OP_ROLL",
    "OP_ROT",
    "OP_SWAP",
    "OP_TUCK",
    "OP_CAT",
    "OP_SUBSTR",
    "OP_LEFT",
    "OP_RIGHT",
    "OP_SIZE",
    "OP_INVERT",
    "OP_AND",
    "OP_OR",
    "OP_XOR",
    "OP_EQUAL",
    "OP_EQUALVERIFY",
    "OP_RESERVED1",
    "OP_RESERVED2",
    "OP_1ADD",
    "OP_1SUB",
    "OP_2MUL",
    "OP_2DIV",
    "OP_NEGATE",
    "OP_ABS",
    "OP_NOT",
    "OP_0NOTEQUAL",
    "OP_ADD",
    "OP_SUB",
    "OP_MUL",
    "OP_DIV",
    "OP_MOD",
    "OP_LSHIFT",
    "OP_RSHIFT",
    "OP_BOOLAND",
    "OP_BOOLOR",
    "OP_NUMEQUAL",
    "OP_NUMEQUALVERIFY",
    "OP_NUMNOTEQUAL",
    "OP_LESSTHAN",
    "OP_GREATERTHAN",
    "OP_LESSTHANOREQUAL",
    "OP_GREATERTHANOREQUAL",
    "OP_MIN",
    "OP_MAX",
    "OP_WITHIN",
    "OP_RIPEMD160",
    "OP_SHA1",
    "OP_SHA256",
    "OP_HASH160",
    "OP_HASH256",
    "OP_CODESEPARATOR",
    "OP_CHECKSIG",
    "OP_CHECKSIGVERIFY",
    "OP_CHECKMULTISIG",
    "OP_CHECKMULTISIGVERIFY",
    "OP_NOP1",
    "OP_CHECKLOCKTIMEVERIFY",
    "OP_CHECKSEQUENCEVERIFY",
    "OP_NOP4",
    "OP_NOP5",
    "OP_NOP6",
    "OP_NOP7",
    "OP_NOP8",
    "OP_NOP9",
    "OP_NOP10",
    "OP_CHECKSIGADD",
];

/// The name of an operation that pushes neither data nor a number from 1 to 16.
pub(super) fn name(code: u8) -> &'static str {
    match code {
        0x4f => "-1",
        0x50 => "OP_RESERVED",
        0xff => "OP_INVALIDOPCODE",
        _ => {
            let place = code.checked_sub(0x61).map(usize::from);
            place
                .and_then(|place| NAMES.get(place).copied())
                .unwrap_or("OP_UNKNOWN")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Opcode;

    /// The crate `bitcoin` has a table of its own, with other names for a few.
    #[test]
    fn every_name_is_at_its_place() {
        for code in 0x61..=0xba {
            let theirs = Opcode::from(code).to_string();
            let expected = match theirs.as_str() {
                "OP_CLTV" => "OP_CHECKLOCKTIMEVERIFY",
                "OP_CSV" => "OP_CHECKSEQUENCEVERIFY",
                other => other,
            };
            assert_eq!(name(code), expected, "{code:#x}");
        }
        for code in (0xbb..=0xfe).chain([0]) {
            assert_eq!(name(code), "OP_UNKNOWN");
        }
    }
}
