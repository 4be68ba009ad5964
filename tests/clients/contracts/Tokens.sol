// SPDX-License-Identifier: MIT OR Apache-2.0
// Tokens that anybody may make for anybody.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

contract Erc20 is ERC20("Credit", "CRDT") {
    uint8 private immutable places;

    constructor(uint8 places_) {
        places = places_;
    }

    function decimals() public view override returns (uint8) {
        return places;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

contract Erc721 is ERC721("Member", "MEMBER") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}

contract Erc1155 is ERC1155("") {
    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }
}
