//! Signatures of contract wallets, of those not yet created too.
//!
//! # What the preparation of EIP-6492 may do
//!
//! Whoever sends the signature chooses the contract that is called to prepare, and with what. That
//! gives nobody anything:
//!
//! - `eth_call` changes nothing. What the preparation does is gone when the answer is there.
//! - The caller is a contract that is never created, at an address made from one that nobody has
//!   the key of. It owns nothing, no contract trusts it, and no money is sent.
//! - Anybody may make the same call on the chain, in a transaction. So if it makes a wallet say yes
//!   to a signature, then that wallet lets anybody make it say yes.
//! - It may burn the gas of the whole call, which has a limit, and get no for an answer.
//!
//! Source: EIP-1271, EIP-6492.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::{SolCall as _, SolType as _, abi::AbiDecoderConfig, sol, sol_data};

use crate::{
    Call, Chains, Endpoints, Failure, Network, Outcome, Unavailable,
    chain_data::At,
    chains::Blame,
    program::{self, Preparation},
    rpc::{self, Answer},
};

/// The longest signature that a contract is asked about, in bytes, its EIP-6492 wrapping included.
pub const SIGNATURE_LEN_BYTES_MAX: usize = 16 * 1024;

/// What the whole program may take. Below the limits of nodes, and of EIP-7825 for a transaction.
const GAS_MAX: u64 = 10_000_000;

/// The last bytes of a wrapped signature (EIP-6492).
const WRAPPING: [u8; 32] = [
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
];

/// What a wrapped signature has before them: whom to call and with what, and the signature.
type Wrapped = (sol_data::Address, sol_data::Bytes, sol_data::Bytes);

sol! {
    function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
}

/// Whether the contract at `wallet` on this chain says that `signature` is its own for `hash`.
///
/// No is also the answer if there is no contract, if it fails, uses more than 10 million gas or
/// returns anything but the yes of EIP-1271, if the signature is longer than
/// [`SIGNATURE_LEN_BYTES_MAX`], and if it ends as a wrapped one (EIP-6492) and is none. The last
/// two are answered without asking.
///
/// A key's signature is not looked at: an address without a contract has signed nothing here.
///
/// # Errors
/// [`Unavailable`] if no endpoint of the chain answers.
pub async fn is_signed_by_contract(
    network: &impl Network,
    endpoints: &Endpoints,
    chain_id: u64,
    wallet: Address,
    hash: [u8; 32],
    signature: &[u8],
) -> Result<bool, Unavailable> {
    let Some((signature, preparation)) = unwrap(signature) else {
        return Ok(false);
    };
    let question = isValidSignatureCall { hash: B256::from(hash), signature }.abi_encode();
    let data = program::assemble(wallet, &question, preparation.as_ref()).into();
    let call = Call { to: None, data, gas: Some(GAS_MAX) };
    let question = call.question(At::Newest);
    Chains::new(network, endpoints).first_good(chain_id, &[question], Blame::Nobody, read).await
}

/// The signature and, if it is wrapped, what goes before. `None` if no wallet could accept it.
fn unwrap(signature: &[u8]) -> Option<(Bytes, Option<Preparation>)> {
    if SIGNATURE_LEN_BYTES_MAX < signature.len() {
        return None;
    }
    let Some(wrapped) = signature.strip_suffix(&WRAPPING) else {
        return Some((Bytes::copy_from_slice(signature), None));
    };
    let strict = AbiDecoderConfig::new().strict(true);
    let (to, data, signature) = Wrapped::abi_decode_params_with_config(wrapped, strict).ok()?;
    Some((signature, Some(Preparation { to, data })))
}

/// Reads the answer of the program, which is 32 bytes of 1 or 0. Whatever else comes was not made
/// by it, so the endpoint does not run programs.
fn read(answers: Vec<Answer>) -> Result<bool, Failure> {
    let [answer] = rpc::exactly(answers)?;
    match Outcome::read(answer)? {
        // All the gas is gone.
        Outcome::Reverted => Ok(false),
        Outcome::Returned(it) if it[..] == B256::with_last_byte(0)[..] => Ok(false),
        Outcome::Returned(it) if it[..] == B256::with_last_byte(1)[..] => Ok(true),
        Outcome::Returned(_) => Err(Failure::Malformed("not what the program returns")),
    }
}
