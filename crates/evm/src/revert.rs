//! Whether an error of a node says that the contract failed, rather than the node.

/// The code of geth for `execution reverted`, which most nodes took over.
const CODE_REVERTED: i64 = 3;

/// What nodes say when a contract came to a bad end, in lower case and without spaces.
#[rustfmt::skip]
const MARKS: [&str; 19] = [
    // It said so itself. The second is what Parity said, and Nethermind for long.
    "revert", "vmexecutionerror",
    // It took more gas than there was.
    "outofgas", "gasuint64overflow", "memoryoog", "precompileoog", "invalidoperandoog",
    // It has an instruction that is none.
    "invalidopcode", "invalidfeopcode", "opcodenotfound", "notactivated", "badinstruction",
    // It did what the machine forbids.
    "invalidjump", "badjumpdestination", "stackunderflow", "stackoverflow", "stacklimitreached",
    "returndataoutofbounds", "outofoffset",
];

/// Whether an error with this code and message is a contract's.
///
/// When in doubt it is not: calling a node's error a contract's would tell somebody that their
/// signature is bad or that they hold nothing, and the other mistake costs a question to the next
/// node.
///
/// Source: `core/vm/errors.go` of geth (and of Erigon), `HaltReason` of revm for reth and its
/// `InstructionResult` for anvil, `EvmExceptionType` of Nethermind.
pub(crate) fn is_of_contract(code: i64, message: &str) -> bool {
    let message = message.replace(' ', "").to_lowercase();
    code == CODE_REVERTED || MARKS.iter().any(|mark| message.contains(mark))
}
