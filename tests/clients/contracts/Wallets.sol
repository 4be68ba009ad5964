// SPDX-License-Identifier: MIT OR Apache-2.0
// Wallets that are contracts (EIP-1271): one as it should be, the others as they should not.
pragma solidity ^0.8.24;

contract Wallet {
    address private immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        bool isOwners = ecrecover(hash, uint8(signature[64]), r, s) == owner;
        return isOwners ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}

contract Reverts {
    fallback() external {
        revert("not today");
    }
}

// What a wallet says when it agrees, but as the reason of a failure.
contract RevertsWithMagic {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            revert(0, 32)
        }
    }
}

contract BurnsAllGas {
    fallback() external {
        assembly {
            invalid()
        }
    }
}

contract LoopsForever {
    fallback() external {
        while (true) {}
    }
}

contract AnswersNothing {
    fallback() external {}
}

contract AnswersShort {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 31)
        }
    }
}

contract AnswersOther {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0xffffffff))
            return(0, 32)
        }
    }
}

contract AnswersTrue {
    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

// The right four bytes at the wrong end of the word.
contract AnswersMagicAsNumber {
    fallback() external {
        assembly {
            mstore(0, 0x1626ba7e)
            return(0, 32)
        }
    }
}

// The right four bytes, followed by some that must be zero.
contract AnswersDirtyMagic {
    fallback() external {
        assembly {
            mstore(0, or(shl(224, 0x1626ba7e), 1))
            return(0, 32)
        }
    }
}

// As much as the gas of a block pays for.
contract AnswersThreeMegabytes {
    fallback() external {
        assembly {
            mstore(0, not(0))
            return(0, 3000000)
        }
    }
}
