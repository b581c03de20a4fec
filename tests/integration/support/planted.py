"""A module of nginx with a bug that is planted on purpose, built beside the
real one."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OUTER = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}


def dry_run(built: Path, *arguments) -> str:
    """The commands that make would run, and nothing else: an outer make
    hands down its flags, of which w adds lines that are no commands."""
    env = {key: os.environ[key] for key in os.environ if key not in OUTER}
    return subprocess.check_output(
        ["make", "-n", "--no-print-directory", *arguments],
        cwd=built / "nginx",
        env=env,
        text=True,
    )


def planted_module(
    built: Path, source: Path, old: str, new: str, directory: Path
) -> Path:
    """The module of this build with other text in one of its sources."""
    text = source.read_text()
    assert text.count(old) == 1, "the text to plant the bug in"
    planted = directory / "planted.c"
    planted.write_text(text.replace(old, new))
    # as ci/build calls it, with which an object depends on its headers alone
    script = dry_run(built, "-W", source, "-f", ROOT / "ci" / "module.mk",
                     f"OBJS={built / 'objs'}", f"HERE={ROOT}", "ADDON_DEPS=",
                     "modules")  # fmt: skip
    module = directory / "planted.so"
    folder = source.parent.name
    script = re.sub(rf"\S*/{folder}/{source.stem}\.o",
                    str(directory / "planted.o"), script)  # fmt: skip
    script = re.sub(r"-o \S*/ngx_http_payments_module\.so", f"-o {module}",
                    script)  # fmt: skip
    script = script.replace(str(source), f"-I {source.parent} {planted}")
    # by its standard input: all objects' commands do not fit into an argument
    subprocess.run(
        ["sh", "-e"], input=script, text=True, cwd=built / "nginx", check=True
    )
    assert module.exists()
    return module
