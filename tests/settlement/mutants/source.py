"""The program's C, as far as a mutation must understand it: functions, who calls whom, parentheses, arguments."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_FUNCTION = re.compile(r"^(?:static )?(?:inline )?\w+(?: \*| )(\w+)\([^;{}]*\) \{", re.MULTILINE)
_CALL = re.compile(r"\b([a-z_]\w*)\(")
_SHAPE = {"require_shape", "require_type"}


@dataclass(frozen=True)
class Function:
    """One definition: ``[start, end)`` are its file's characters from the name to the closing brace."""

    file: str
    name: str
    start: int
    end: int
    body: str


@dataclass(frozen=True)
class Program:
    """The sources by their names relative to the folder, comments blanked out so that no offset moves."""

    texts: Mapping[str, str]
    code: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Program":
        paths = sorted(path for path in folder.rglob("*") if path.suffix in {".c", ".h"})
        texts = {str(path.relative_to(folder)): path.read_text() for path in paths}
        blank = {name: _COMMENT.sub(lambda found: " " * len(found[0]), text) for name, text in texts.items()}
        return cls(texts, blank)

    @cached_property
    def functions(self) -> list[Function]:
        found = []
        for file, code in self.code.items():
            for match in _FUNCTION.finditer(code):
                end = matching(code, match.end() - 1)
                found.append(Function(file, match[1], match.start(1), end, code[match.end() - 1 : end]))
        return found

    @cached_property
    def _calls(self) -> dict[str, set[str]]:
        names = {function.name for function in self.functions}
        calls: dict[str, set[str]] = {name: set() for name in names}
        for function in self.functions:
            calls[function.name] |= {name for name in _CALL.findall(function.body) if name in names}
        return calls

    @cached_property
    def refusing(self) -> set[str]:
        """The functions that can return a refusal of the program's own, themselves or through another.

        A syscall that fails is no such refusal: the runtime ends the program before ours could say so.
        """
        found = {one.name for one in self.functions if re.search(r"\bERROR_(?!SYSCALL_FAILED)|\berror\b", one.body)}
        while more := {name for name, called in self._calls.items() if called & found} - found:
            found |= more
        return found

    def refusals_of(self, instruction: str) -> set[str]:
        """The ``ERROR_`` names in all that an instruction may call, but for the check of its declared shape."""
        found, fresh = set(_SHAPE), {f"process_{instruction}"}
        while fresh:
            found |= fresh
            fresh = set().union(*(self._calls[name] for name in fresh)) - found
        bodies = [one.body for one in self.functions if one.name in found - _SHAPE]
        return set(re.findall(r"\bERROR_\w+", "".join(bodies)))

    def instructions_through(self, name: str) -> set[str]:
        """The instructions whose processing may call this function; ``process_x`` is instruction x."""
        found, fresh = {name}, {name}
        while fresh := {caller for caller, called in self._calls.items() if called & fresh} - found:
            found |= fresh
        processors = {one.name for one in self.functions if one.name.startswith("process_")}
        reached = processors if name in {"entrypoint", "read_input"} else found & processors
        return {one.removeprefix("process_") for one in reached}

    def function_at(self, file: str, offset: int) -> Function | None:
        return next((one for one in self.functions if one.file == file and one.start <= offset < one.end), None)


def matching(code: str, opening: int) -> int:
    """The offset behind the bracket that closes the one at ``opening``."""
    depth = 0
    for at in range(opening, len(code)):
        depth += (code[at] in "({[") - (code[at] in ")}]")
        if depth == 0:
            return at + 1
    raise ValueError("a bracket is never closed")


def arguments(code: str, opening: int) -> list[tuple[int, int]]:
    """The extents of the arguments between the bracket at ``opening`` and its end, blanks left out."""
    end, depth, start, found = matching(code, opening) - 1, 0, opening + 1, []
    for at in range(opening + 1, end + 1):
        depth += (code[at] in "({[") - (code[at] in ")}]")
        if (code[at] == "," and depth == 0) or at == end:
            found.append(trimmed(code, start, at))
            start = at + 1
    return found


def trimmed(code: str, start: int, end: int) -> tuple[int, int]:
    while start < end and code[start].isspace():
        start += 1
    while start < end and code[end - 1].isspace():
        end -= 1
    return start, end


def operands(code: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """(operator, start, end) of everything joined by ``&&`` or ``||`` in ``[start, end)``, at every depth."""
    stops = re.compile(r"&&|\|\||[;,{}?:]|(?<![=!<>])=(?!=)|\breturn\b")
    level: list[list[tuple[str, int, int]]] = [[]]
    for match in re.finditer(stops.pattern + r"|[(\[]|[)\]]", code[start:end]):
        token, at, after = match[0], start + match.start(), start + match.end()
        if token in "([":
            level[-1].append(("(", at, after))
            level.append([("|", at, after)])
        elif token in ")]":
            level[-1].append(("|", at, after))
            yield from _joined(code, level.pop())
        else:
            level[-1].append((token, at, after))
    level[-1].append(("|", end, end))
    yield from _joined(code, level.pop())


def _joined(code: str, tokens: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Each operand lies between two neighbouring separators of which at least one is an operator."""
    parts = [token for token in tokens if token[0] != "("]
    for left, right in pairwise(parts):
        operator = next((one[0] for one in (left, right) if one[0] == "&&"), None)
        operator = operator or next((one[0] for one in (left, right) if one[0] == "||"), None)
        if operator:
            yield operator, *trimmed(code, left[2], right[1])
