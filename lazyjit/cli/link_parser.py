"""Reads a command line of `lazyjit link` as llvm-jitlink would.

Options and inputs come in any order; a word that is no option is an input file. `-args` and
`-harness` take all words behind them, dashes or not, up to the other one. One dash or two make no
difference, and a value follows after `=` or is the next word (see `lazyjit.cli.parser`).
"""

from __future__ import annotations

import mmap

from lazyjit.cli import link_table
from lazyjit.cli.link_request import LinkRequest
from lazyjit.cli.options import Arity, CommandLineError, Option
from lazyjit.cli.words import Vocabulary, expand, take, value_of

__all__ = ["VOCABULARY", "parse"]

VOCABULARY = Vocabulary("link", link_table.OPTIONS)


def _collector(word: str) -> Option | None:
    """The row of -args or -harness, if the word is one of them."""
    row = VOCABULARY.find(word.lstrip("-")) if word.startswith("-") else None
    return row if row is not None and row.arity is Arity.REST else None


def parse(words: list[str]) -> LinkRequest:
    """What `words`, the command line behind `lazyjit link`, asks for. Raises CommandLineError."""
    request = LinkRequest()
    rest = list(words)
    only_files = False
    expansions = 0
    collecting: Option | None = None
    while rest:
        word = rest.pop(0)
        expanded = None if only_files else expand(word, expansions)
        if expanded is not None:
            rest[:0] = expanded
            expansions += 1
            continue
        if not only_files and (row := _collector(word)) is not None:
            collecting = row
            continue
        if collecting is not None and not (word == "--" and not only_files):
            take(request, word, collecting, word)
            continue
        if word == "--" and not only_files:
            only_files = True
            continue
        if only_files or not word.startswith("-") or word == "-":
            request.add(word)
            continue
        spelling, option, value = VOCABULARY.split(word)
        take(request, spelling, option, value_of(spelling, option, value, rest))
        if request.action != "run":
            return request
    _check(request)
    return request


def _check_slab(request: LinkRequest) -> None:
    page = request.slab_page_size or mmap.PAGESIZE
    size = -(-(request.slab_size or 0) // page) * page
    address = request.slab_address
    if (request.slab_size or 0) > 1 << 44:
        raise CommandLineError("-slab-allocate: a slab has at most 16384 Gb")
    if size > 1 << 44:
        raise CommandLineError(f"-slab-page-size: a page of {page} bytes is larger than any slab")
    if address is None:
        return
    if not address or address % page:
        raise CommandLineError(f"-slab-address: {address:#x} is not a multiple of a page's {page}")
    if address > (1 << 64) - size:
        raise CommandLineError(f"-slab-address: no {size} bytes are behind {address:#x}")


def _check(request: LinkRequest) -> None:
    """What only the whole command line shows."""
    if not request.inputs:
        raise CommandLineError("no input files; see lazyjit link --help")
    if not request.entry:
        raise CommandLineError("-entry needs a name")
    for given, spelling in (
        (request.slab_address, "-slab-address"),
        (request.slab_page_size, "-slab-page-size"),
    ):
        if given is not None and (request.slab_size is None or request.execute):
            raise CommandLineError(f"{spelling} needs -slab-allocate and -noexec")
    _check_slab(request)
    if request.next_lazy:
        raise CommandLineError("-lazy needs a file behind it")
    if request.speculate_order is not None and request.speculation == "none":
        raise CommandLineError("-speculate-order needs -speculate=simple")
