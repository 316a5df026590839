#!/usr/bin/env python3
"""check-docs.py SGDMFT SOURCE_DIR: what the documentation quotes is what is there.

Relative links lead somewhere, docs/library.md quotes examples/library.c word for word, and every problem file shown in
README.md passes `sgdmft check`.
"""

import pathlib
import re
import subprocess
import sys
import tempfile


def broken_links(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = page if not path else page.parent / path
        if not found.exists():
            yield f"{page.name}: the link to {target} leads nowhere"
        elif anchor and anchor not in anchors(found):
            yield f"{page.name}: there is no heading for {target}"


def anchors(page):
    """Headings as GitHub names them: lower case, punctuation dropped, blanks to hyphens."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def refused(program, text):
    with tempfile.TemporaryDirectory() as place:
        problem = pathlib.Path(place) / "problem.yaml"
        problem.write_text(text, encoding="utf-8")
        run = subprocess.run([program, "check", problem], capture_output=True, text=True)
    return run.stderr if run.returncode else None


def main(program, source):
    source = pathlib.Path(source)
    readme = source / "README.md"
    complaints = [c for page in [readme, *sorted((source / "docs").glob("*.md"))] for c in broken_links(page)]
    if (source / "examples/library.c").read_text(encoding="utf-8") not in blocks(source / "docs/library.md", "c"):
        complaints.append("docs/library.md does not quote examples/library.c as it is")
    problems = blocks(readme, "yaml")
    if not problems:
        complaints.append("README.md shows no problem file")
    complaints += [f"a problem file in README.md is refused: {r}" for r in (refused(program, p) for p in problems) if r]
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
