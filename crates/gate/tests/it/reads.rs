//! Calls to contracts, byte for byte, and what is taken for an answer.

use crate::common::{CONTRACT, policy, rule, second};
use alloy_primitives::{U256, hex};
use gate::{Read, Readings};

/// The selectors are those that the standards' contracts are known by: `70a08231` for
/// `balanceOf(address)`, `00fdd58e` for `balanceOf(address,uint256)`.
#[test]
fn each_chain_rule_reads_one_balance() {
    let owner = "00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8";
    let seven = "0000000000000000000000000000000000000000000000000000000000000007";
    let rules = ["allowlist", "erc1155", "attestation", "erc20", "erc721"].map(rule);
    let got = policy("any", &rules).reads(second());
    #[rustfmt::skip]
    let want = [
        (1,    format!("00fdd58e{owner}{seven}")),
        (8453, format!("70a08231{owner}")),
        (1,    format!("70a08231{owner}")),
    ];
    let want = want.map(|(chain_id, data)| Read {
        chain_id,
        contract: CONTRACT.parse().unwrap(),
        data: hex::decode(data).unwrap(),
    });
    assert_eq!(got, want);
}

#[test]
fn only_one_word_is_a_balance() {
    let mut seven = [0; 32];
    seven[31] = 7;
    #[rustfmt::skip]
    let rows = [
        (seven.to_vec(),      Some(U256::from(7))),
        (vec![0; 32],         Some(U256::ZERO)),
        (vec![0xff; 32],      Some(U256::MAX)),
        (vec![],              None),
        (vec![0; 31],         None),
        (vec![0; 33],         None),
        (vec![0; 64],         None),
    ];
    for (returned, want) in rows {
        assert_eq!(Read::balance(&returned), want, "{returned:?}");
    }
}

#[test]
fn readings_can_be_kept() {
    let readings: Readings = [Some(U256::from(7)), None, Some(U256::MAX)].into_iter().collect();
    let json = serde_json::to_string(&readings).unwrap();
    assert_eq!(json, format!("[\"0x7\",null,\"0x{}\"]", "f".repeat(64)));
    assert_eq!(serde_json::from_str::<Readings>(&json).unwrap(), readings);
}
