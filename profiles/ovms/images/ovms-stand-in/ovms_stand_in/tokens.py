# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tokenizer of the stand-in's decoder: a token is a byte of UTF-8, so that any text has tokens and can be had back.

Its files are those that Hugging Face's ``tokenizers`` and ``transformers`` read, so that load tools count as it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BYTES = 256
END = BYTES
"""The token that ends a text; the decoder never gives it."""
VOCABULARY = BYTES + 1
_END_TEXT = "<|endoftext|>"
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def encode(text: str) -> list[int]:
    return list(text.encode("utf-8", "replace"))


def decode(tokens: Iterable[int]) -> str:
    return bytes(token for token in tokens if token < BYTES).decode("utf-8", "replace")


def of_chat(messages: Sequence[Mapping[str, str]]) -> str:
    """The prompt of a conversation, as the chat template writes it."""
    said = [f"{message['role']}: {message['content']}\n" for message in messages]
    return "".join([*said, "assistant: "])


def _letters() -> list[str]:
    """The letter that byte-level tokenizers write for each byte: itself where it can be seen, else one above U+0100."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in seen}
    rest = [byte for byte in range(BYTES) if byte not in letters]
    letters.update({byte: chr(0x100 + number) for number, byte in enumerate(rest)})
    return [letters[byte] for byte in range(BYTES)]


def files(context: int) -> dict[str, str]:
    """The tokenizer's files by their names; ``context``: how many tokens the decoder takes."""
    level: dict[str, Any] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": False,
    }
    end = {
        **{"id": END, "content": _END_TEXT, "special": True},
        **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
    }
    tokenizer = {
        "version": "1.0",
        **dict.fromkeys(("truncation", "padding", "normalizer", "post_processor")),
        "added_tokens": [end],
        "pre_tokenizer": level,
        "decoder": level,
        "model": {
            "type": "BPE",
            **dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")),
            **dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False),
            "vocab": {letter: byte for byte, letter in enumerate(_letters())},
            "merges": [],
        },
    }
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        **dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), _END_TEXT),
        "clean_up_tokenization_spaces": False,
        "chat_template": _TEMPLATE,
    }
    found = {"tokenizer.json": tokenizer, "tokenizer_config.json": config}
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in found.items()}
