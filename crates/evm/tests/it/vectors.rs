//! The public vectors of EIP-1271: sign-in messages of contract wallets.
//!
//! The wallets' own contracts are on a chain that is not here. In their place is one that has the one
//! owner whose key made the signature, and looks at its first 65 bytes, as both do.

use alloy_primitives::{Address, eip191_hash_message, hex};
use serde_json::Value;

use crate::machine::Machine;

/// A wallet that says yes to what the key of `owner` signed.
fn owned_by(owner: Address) -> Vec<u8> {
    // ECRECOVER of the hash, v, r and s in the calldata; times yes if it is the owner.
    let code = format!(
        "60043560005260a43560001a602052606435604052608435606052602060806080600060015afa50\
         60805173{owner:x}14631626ba7e60e01b0260005260206000f3"
    );
    hex::decode(code).unwrap()
}

#[test]
fn the_public_vectors_are_signed_by_their_wallets() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/siwe/eip1271.json")).unwrap();
    let mut n_vectors = 0;
    for (name, vector) in vectors.as_object().unwrap() {
        let message = vector["message"].as_str().unwrap();
        let wallet: Address = message.lines().nth(1).unwrap().parse().unwrap();
        let hash = eip191_hash_message(message).0;
        let signature = hex::decode(vector["signature"].as_str().unwrap()).unwrap();
        let by_key = hex::encode_prefixed(&signature[..65]).parse().unwrap();
        let owner = evm::recover(&hash, &by_key).unwrap();
        assert_ne!(owner, wallet, "{name}: a contract has no key");

        let ours = Machine::new(&[(wallet, &owned_by(owner))]);
        assert!(ours.has_signed(wallet, hash, &signature), "{name}");
        let mut other = hash;
        other[0] ^= 1;
        assert!(!ours.has_signed(wallet, other, &signature), "{name}: another message");
        let others = Machine::new(&[(wallet, &owned_by(Address::repeat_byte(7)))]);
        assert!(!others.has_signed(wallet, hash, &signature), "{name}: another owner");
        n_vectors += 1;
    }
    assert_eq!(n_vectors, 2);
}
