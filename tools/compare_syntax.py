"""Show that a commit only renames and moves: compare the syntax trees of two commits under a map of names.

    python -m tools.compare_syntax OLD NEW [--map FILE] [paths]

Each function, method, class head and module-level statement of OLD is parsed, its names are replaced by the map, and it
is looked for among those of NEW, wherever it stands there. FILE holds `old new` for a name, or a module's name alone:
whether a name is written with that module before it does not count. Nor do docstrings, comments and formatting. What
has no equal is listed.
"""

import argparse
import ast
import subprocess
from collections import Counter
from pathlib import Path

IDENTIFIERS = {
    ast.Name: ("id",),
    ast.Attribute: ("attr",),
    ast.FunctionDef: ("name",),
    ast.ClassDef: ("name",),
    ast.arg: ("arg",),
    ast.keyword: ("arg",),
}


def sources(commit: str, paths: list[str]) -> dict[str, str]:
    """Return the Python files of a commit by path, migrations left out."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", commit, *paths], capture_output=True, text=True, check=True
    ).stdout.split()
    wanted = [path for path in listed if path.endswith(".py") and "/migrations/" not in path]
    return {
        path: subprocess.run(["git", "show", f"{commit}:{path}"], capture_output=True, text=True, check=True).stdout
        for path in wanted
    }


class Renaming(ast.NodeTransformer):
    """Replaces names by the map, and docstrings by nothing."""

    def __init__(self, names: dict[str, str], modules: frozenset[str]) -> None:
        self.names, self.modules = names, modules

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Take `name` for `module.name`."""
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            return ast.copy_location(ast.Name(self.names.get(node.attr, node.attr), node.ctx), node)
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Rename a node and what is in it."""
        for field in IDENTIFIERS.get(type(node), ()):
            value = getattr(node, field)
            setattr(node, field, self.names.get(value, value))
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del body[0]
        return super().generic_visit(node)


def units(files: dict[str, str], names: dict[str, str], modules: frozenset[str]) -> Counter[tuple[str, str]]:
    """Return (name, normal form) of every function, class head and statement."""
    found: Counter[tuple[str, str]] = Counter()

    def walk(body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.ClassDef):
                walk(node.body)
                node.body = []
            found[getattr(node, "name", type(node).__name__), ast.dump(node)] += 1

    for path, text in files.items():
        tree = Renaming(names, modules).visit(ast.parse(text, path))
        walk(tree.body)
    return found


def main() -> int:
    """Compare, print what has no equal, and return 1 where anything has none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--map", type=Path)
    options = parser.parse_intermixed_args()
    pairs = [line.split() for line in options.map.read_text().splitlines() if line.strip()] if options.map else []
    modules = frozenset(pair[0] for pair in pairs if len(pair) == 1)
    old = units(sources(options.old, options.paths), {pair[0]: pair[1] for pair in pairs if len(pair) == 2}, modules)
    new = units(sources(options.new, options.paths), {}, modules)
    gone, came = old - new, new - old
    print(f"{sum(old.values())} before, {sum(new.values())} after; {sum(gone.values())} without an equal afterwards")
    for sign, rest in (("-", gone), ("+", came)):
        for (name, _), n in sorted(rest.items()):
            print(f"{sign} {name}{f' x {n}' if n > 1 else ''}")
    return 1 if gone else 0


if __name__ == "__main__":
    raise SystemExit(main())
