"""No circle among imports: a reader can go through the package, and the benchmarks, downwards."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {"fastapi_async_safe": ROOT / "src", "benchmarks": ROOT}
LAYERS = ("figures", "runs", "subjects", "apps")


def modules_of(package: str, root: Path) -> dict[str, Path]:
    """The package's modules, by their dotted names."""
    found = {}
    for path in (root / package).rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_in(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """All that is imported when the code runs, at its start or later, within functions too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif is_for_types_only(child):
            assert isinstance(child, ast.If)
            for otherwise in child.orelse:
                yield from imports_in(otherwise)
        else:
            yield from imports_in(child)


def imported(name: str, path: Path, modules: dict[str, Path]) -> set[str]:
    """The modules among `modules` that module `name` imports."""
    found = set()
    for statement in imports_in(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
            continue
        source = statement.module or ""
        if statement.level:
            above = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
            base = above[: len(above) - statement.level + 1]
            source = ".".join([*base, source] if source else base)
        for alias in statement.names:
            inside = f"{source}.{alias.name}"
            found.add(inside if inside in modules else source)
    return found & modules.keys() - {name}


def import_graph(package: str, root: Path) -> dict[str, set[str]]:
    modules = modules_of(package, root)
    return {name: imported(name, path, modules) for name, path in modules.items()}


@pytest.mark.parametrize("package", SOURCES)
def test_no_module_imports_itself_by_way_of_others(package: str) -> None:
    graph = import_graph(package, SOURCES[package])

    assert any(graph.values())
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "second",
    ["import made.first", "from made import first", "from . import first", "from .first import x"],
)
def test_a_circle_is_found_in_whatever_way_it_is_written(second: str, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/__init__.py").touch()
    (tmp_path / "made/first.py").write_text("def f():\n    from made.second import x\n")
    (tmp_path / "made/second.py").write_text(f"{second}\n")

    with pytest.raises(CycleError):
        TopologicalSorter(import_graph("made", tmp_path)).prepare()


def test_an_import_for_types_alone_makes_no_circle(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/first.py").write_text("import made.second\n")
    (tmp_path / "made/second.py").write_text("if TYPE_CHECKING:\n    import made.first\n")

    TopologicalSorter(import_graph("made", tmp_path)).prepare()


def test_each_folder_of_the_benchmarks_imports_only_from_those_below_it() -> None:
    def layer(module: str) -> int:
        folder = module.split(".")[1] if "." in module else ""
        return LAYERS.index(folder) if folder in LAYERS else -1

    upwards = {
        f"{name} imports {other}"
        for name, others in import_graph("benchmarks", ROOT).items()
        for other in others
        if other != "benchmarks" and layer(other) < layer(name)
    }

    assert upwards == set()
