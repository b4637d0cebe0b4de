"""Figures of the code base: `python -m tools.figures [COMMIT …]`; without a commit, of the working tree's last one."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

APPS = ("accounts", "contacts", "sales", "commerce", "reporting", "billing", "messaging", "marketing", "integrations")
PRODUCT = ("crm", "devstack", *APPS)
LONG = 40


def files(commit: str) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each Python file of a commit, migrations left out."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", commit], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for path in listed:
        if path.endswith(".py") and "/migrations/" not in path:
            yield (
                path,
                subprocess.run(["git", "show", f"{commit}:{path}"], capture_output=True, text=True, check=True).stdout,
            )


def kernel_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module imports from `crm`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "crm":
            yield from (alias.name for alias in node.names)


def figures(commit: str) -> dict[str, int]:
    """Return the figures of a commit."""
    found = dict.fromkeys(("product lines", "test lines", "functions over 40 lines", "noqa", "type: ignore"), 0)
    names: set[str] = set()
    services = 0
    for path, text in files(commit):
        top = path.split("/")[0]
        if top == "tests":
            found["test lines"] += text.count("\n")
        if top not in PRODUCT:
            continue
        tree = ast.parse(text)
        found["product lines"] += text.count("\n")
        found["noqa"] += len(re.findall(r"# noqa", text))
        found["type: ignore"] += len(re.findall(r"# type: ignore", text))
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        found["functions over 40 lines"] += sum((node.end_lineno or 0) - node.lineno >= LONG for node in functions)
        if top in APPS:
            names.update(kernel_names(tree))
            services += "/services/" in path and not path.endswith("__init__.py")
    glossary = subprocess.run(
        ["git", "show", f"{commit}:docs/glossary.md"], capture_output=True, text=True, check=False
    ).stdout
    return {
        **found,
        "crm names imported by the apps": len(names),
        "service modules": services,
        "words in the glossary": len(re.findall(r"^\| \*\*", glossary, re.MULTILINE)),
    }


if __name__ == "__main__":
    commits = sys.argv[1:] or ["HEAD"]
    columns = [figures(commit) for commit in commits]
    print(f"{'':34}" + "".join(f"{commit[:12]:>14}" for commit in commits))
    for name in columns[0]:
        print(f"{name:34}" + "".join(f"{column[name]:>14}" for column in columns))
