#!/usr/bin/env python3
"""check-docs.py SGDMFT SOURCE_DIR [--comments]: what the documentation names and quotes exists.

  links       relative links and their headings, on every page
  files       paths and file names between backticks, e.g. `src/kernels/grid.h`, `tests/paths`; NAME stands for any name
  functions   `FILE`: `name`, `name` : each name is a word of that file
  words       names with underscores between backticks, e.g. `sgdmft_solve`, are words of some source file
  keys        dotted keys between backticks, e.g. `numerics.paths`, are in the table of options
  notation    each name in the second column of docs/NOTATION.md is a word of a file in the last column
  commits     `abcdef0` is a commit of this repository, in a clone with its whole history
  index       every page of docs and every problem of examples is in docs/index.md
  picture     no #include goes up in the picture of ARCHITECTURE.md, whose floors are divided by lines of hyphens
  comments    with --comments: files named in comments of C files exist
  quotes      docs/library.md quotes examples/library.c word for word; problem files in README.md pass `sgdmft check`

CHANGELOG.md names what is gone, so only its links are checked. docs/problem-file.md is generated from the tables.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOTS = ("src", "include", "solvers", "validation", "tests", "docs", "examples", "scripts", "bench", "python", ".ci")
SOURCES = {".c", ".h", ".in", ".py", ".sh", ".yaml", ".build"}
SECTIONS = "numerics|output|initial|model|simulate"
FOREIGN = ("cblas_", "sleef")


def text_of(path):
    return path.read_text(encoding="utf-8")


def without_blocks(text):
    """The text without fenced code."""
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def anchors(page):
    """Headings as GitHub names them: lower case, punctuation dropped, blanks to hyphens."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(text_of(page))):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = page if not path else page.parent / path
        if not found.exists():
            yield f"the link to {target} leads nowhere"
        elif anchor and anchor not in anchors(found):
            yield f"there is no heading for {target}"


class Tree:
    """The files of the source tree and the words in them."""

    def __init__(self, top):
        self.top = top
        files = [p for root in ROOTS if (top / root).is_dir() for p in (top / root).rglob("*") if p.is_file()]
        files += [p for p in top.iterdir() if p.is_file()]
        self.names = {p.name for p in files}
        self.words = {p.stem for p in files}
        self.sources = sorted(p for p in files if p.suffix in (".c", ".h"))
        for path in files:
            if path.suffix in SOURCES or path.name == "meson.build":
                self.words |= self.words_of(path)

    @staticmethod
    def words_of(path):
        return set(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))

    def find(self, name):
        """The files that a path stands for: from the top, or as an #include names it."""
        for start in (self.top, self.top / "src", self.top / "include"):
            found = list(start.glob(name.rstrip("/").replace("NAME", "*")))
            if found:
                return found
        return []

    def is_path(self, token):
        first = token.split("/")[0]
        return re.fullmatch(r"\.?[\w.*-]+(/[\w.*-]+)+/?", token) and (
            first in ROOTS or (self.top / "src" / first).is_dir() or (self.top / "include" / first).is_dir()
        )


def missing_files(tree, tokens):
    for token in tokens:
        if tree.is_path(token) and not tree.find(token):
            yield f"there is no {token}"
        elif re.fullmatch(r"[\w-]+\.(c|h|py|sh)", token) and not {token, token + ".in"} & tree.names:
            yield f"no file is called {token}"


def missing_functions(tree, text):
    name = r"`\w+`"
    for path, names in re.findall(rf"`([\w./-]+\.\w+)`:\s+({name}(?:(?:,| and)\s+{name})*)", text):
        files = tree.find(path)
        words = set().union(*(tree.words_of(f) for f in files))
        for word in re.findall(r"\w+", names.replace(" and ", " ")):
            if files and word not in words:
                yield f"{path} has no {word}"


def is_symbol(token):
    """q_aa, t_i, rho_ab: a letter with indices, no name of the program."""
    return re.fullmatch(r"[a-z]{1,3}(_[a-z]{1,2})+", token)


def missing_words(tree, tokens):
    for token in tokens:
        name = token.removesuffix("()")
        known = name in tree.words or name.startswith(FOREIGN) or is_symbol(name)
        if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) and not known:
            yield f"{name} is in no source file"


def missing_keys(tree, tokens):
    options = text_of(tree.top / "src/problem/options.c")
    for token in tokens:
        if re.fullmatch(rf"({SECTIONS})\.[a-z_]{{2,}}", token) and f'"{token}"' not in options:
            yield f"{token} is no option"


def missing_notation(tree, page):
    for row in re.findall(r"^\|(.*)\|$", text_of(page), flags=re.M):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
        files = [f for token in re.findall(r"`([^`]+)`", cells[-1]) for f in tree.find(token) if f.is_file()]
        if len(cells) < 3 or not files:
            continue
        words = set().union(*(tree.words_of(f) for f in files))
        for word in re.findall(r"[A-Za-z]\w*", " ".join(re.findall(r"`([^`]+)`", cells[1]))):
            if word not in words:
                yield f"{cells[-1]} does not have {word}"


def git(top, *arguments):
    return subprocess.run(["git", "-C", top, *arguments], capture_output=True, text=True)


def missing_commits(tree, tokens):
    """In a clone with its whole history."""
    if git(tree.top, "rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        return
    for token in tokens:
        if re.fullmatch(r"[0-9a-f]{7}", token) and git(tree.top, "cat-file", "-e", token + "^{commit}").returncode:
            yield f"there is no commit {token}"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), flags=re.S | re.M)


def refused(program, text):
    with tempfile.TemporaryDirectory() as place:
        problem = pathlib.Path(place) / "problem.yaml"
        problem.write_text(text, encoding="utf-8")
        run = subprocess.run([program, "check", problem], capture_output=True, text=True)
    return run.stderr if run.returncode else None


def quotes(program, top):
    if text_of(top / "examples/library.c") not in blocks(top / "docs/library.md", "c"):
        yield "docs/library.md does not quote examples/library.c as it is"
    problems = blocks(top / "README.md", "yaml")
    if not problems:
        yield "README.md shows no problem file"
    for problem in problems:
        message = refused(program, problem)
        if message:
            yield f"a problem file in README.md is refused: {message}"


def missing_index(top):
    index = text_of(top / "docs/index.md")
    for path in [*sorted((top / "docs").glob("*.md")), *sorted((top / "examples").glob("*.yaml"))]:
        if path.name != "index.md" and path.name not in index:
            yield f"docs/index.md does not have {path.name}"


def upward_includes(tree):
    """A file belongs to the room of the picture with the longest name that its path begins with."""
    picture = blocks(tree.top / "ARCHITECTURE.md", "")[0]
    floors = re.split(r"^ *-{10,}$", picture, flags=re.M)
    floors = [re.findall(r"\b(?:src|solvers|validation)/[\w/.]+", floor) for floor in floors]
    level = {"": None, **{room: number for number, rooms in enumerate(floors) for room in rooms}}

    def level_of(path):
        return level[max((room for room in level if str(path).startswith(room)), key=len)]

    for path in tree.sources:
        here = level_of(path.relative_to(tree.top))
        included = re.findall(r'^#include "([^"]+)"', text_of(path), flags=re.M) if here is not None else []
        for name in included:
            found = [level_of(f.relative_to(tree.top)) for f in tree.find(name)]
            if found and found[0] is not None and found[0] < here:
                yield f"{path.relative_to(tree.top)} includes {name}, which is above it in ARCHITECTURE.md"


def stale_comments(tree):
    """A name with a folder is one from the top, from src, include, docs or tests, or from the file itself."""
    folders = [tree.top, *(tree.top / d for d in ("src", "include", "docs", "tests"))]
    for path in tree.sources:
        for comment in re.findall(r"/\*.*?\*/", text_of(path), flags=re.S):
            for name in re.findall(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.(?:c|h|py|sh|md))\b", comment):
                there = any((d / name).exists() for d in [*folders, path.parent]) if "/" in name else name in tree.names
                if not there and not name.startswith(FOREIGN):
                    yield f"{path.relative_to(tree.top)}: a comment names {name}, which is gone"


def page_complaints(tree, page):
    yield from broken_links(page)
    if page.name in ("CHANGELOG.md", "problem-file.md"):
        return
    text = without_blocks(text_of(page))
    tokens = re.findall(r"`([^`\s]+)`", text)
    yield from missing_files(tree, tokens)
    yield from missing_functions(tree, text)
    yield from missing_words(tree, tokens)
    yield from missing_keys(tree, tokens)
    yield from missing_commits(tree, tokens)
    if page.name == "NOTATION.md":
        yield from missing_notation(tree, page)


def main(program, top, *options):
    top = pathlib.Path(top)
    tree = Tree(top)
    pages = [*sorted(top.glob("*.md")), *sorted((top / "docs").glob("*.md"))]
    complaints = [f"{page.relative_to(top)}: {c}" for page in pages for c in page_complaints(tree, page)]
    complaints += [*missing_index(top), *quotes(program, top), *upward_includes(tree)]
    if "--comments" in options:
        complaints += stale_comments(tree)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
