"""ci/vendor, which copies the console's libraries: a file that is not the one
of the list, another licence, or an import of an unknown name stops it; without
the packages nothing is changed.  On a small tree of packages of its own."""

import hashlib
import importlib.util
import json
from importlib.machinery import SourceFileLoader

import pytest
from support.gateway import ROOT

LOADER = SourceFileLoader("vendor", str(ROOT / "ci/vendor"))
CORE = "export const h=1;\n//# sourceMappingURL=core.mjs.map\n"
HOOKS = 'import{h as n}from"core";export const use=n;'


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The module on a tree with one package and its list."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    spec = importlib.util.spec_from_loader("vendor", LOADER)
    vendor = importlib.util.module_from_spec(spec)
    LOADER.exec_module(vendor)
    package = tmp_path / "node/core"
    for name, text in {
        "package.json": json.dumps({"version": "1.2.3", "license": "MIT"}),
        "LICENSE": "Permission is hereby granted",
        "dist/core.mjs": CORE,
        "hooks/dist/hooks.mjs": HOOKS,
    }.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    vendor.PACKAGES = (tmp_path / "node",)
    vendor.LIST = tmp_path / "vendor.txt"
    vendor.PLACE = tmp_path / "vendor"
    rows = [
        f"core 1.2.3 MIT {hashlib.sha256(text.encode()).hexdigest()} {file}"
        for text, file in (
            (CORE, "dist/core.mjs core.js"),
            (HOOKS, "hooks/dist/hooks.mjs hooks.js"),
        )
    ]
    vendor.LIST.write_text("# libraries\n" + "\n".join(rows) + "\n")
    vendor.package = package
    monkeypatch.setattr("sys.argv", ["vendor", "--offline"])
    return vendor


def test_files_are_copied_with_relative_names_and_their_licence(tree):
    tree.PLACE.mkdir()
    (tree.PLACE / "stale.js").write_text("old")
    tree.main()
    found = {path.name: path.read_text() for path in tree.PLACE.iterdir()}
    assert set(found) == {"core.js", "hooks.js", "licences.json"}
    assert "sourceMappingURL" not in found["core.js"]
    assert found["hooks.js"].splitlines() == [
        "/*! core 1.2.3, MIT: licences.json */",
        HOOKS.replace('"core"', '"./core.js"'),
    ]
    assert json.loads(found["licences.json"])["core"] == {
        "version": "1.2.3",
        "licence": "MIT",
        "text": "Permission is hereby granted",
    }
    before = {path: path.stat().st_mtime_ns for path in tree.PLACE.iterdir()}
    tree.main()
    assert before == {
        path: path.stat().st_mtime_ns for path in tree.PLACE.iterdir()
    }


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("dist/core.mjs", "h=1", "h=2", "is not the file of ci/vendor.txt"),
        ("package.json", "MIT", "GPL-3.0", "its licence is GPL-3.0, not MIT"),
    ],
)
def test_another_file_or_licence_stops_it(tree, file, old, new, words):
    path = tree.package / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SystemExit, match=words):
        tree.main()
    assert not tree.PLACE.exists()


def test_an_import_that_is_not_listed_stops_it(tree):
    lines = tree.LIST.read_text().splitlines()
    tree.LIST.write_text(lines[2] + "\n")
    with pytest.raises(SystemExit, match="imports core, which"):
        tree.main()


def test_a_script_gets_the_export_of_a_module(tree):
    script = '"use strict";\nvar Plot=function(){return 1}();\n'
    (tree.package / "dist/plot.iife.min.js").write_text(script)
    digest = hashlib.sha256(script.encode()).hexdigest()
    line = f"core 1.2.3 MIT {digest} dist/plot.iife.min.js plot.js\n"
    tree.LIST.write_text(tree.LIST.read_text() + line)
    tree.main()
    lines = (tree.PLACE / "plot.js").read_text().splitlines()
    assert lines[-1] == "export default Plot;"


def test_without_the_package_or_with_another_version_nothing_changes(
    tree, capsys
):
    path = tree.package / "package.json"
    path.write_text(path.read_text().replace("1.2.3", "1.2.4"))
    tree.main()
    assert "ci/install --node" in capsys.readouterr().out
    assert not tree.PLACE.exists()


def test_the_list_has_the_versions_of_npm():
    npm = (ROOT / "ci/npm.txt").read_text().splitlines()
    for line in (ROOT / "ci/vendor.txt").read_text().splitlines():
        if not line.startswith("#"):
            package, version, *_ = line.split()
            assert f"{package}@{version}" in npm
