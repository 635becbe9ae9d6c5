"""docs/client.md says what the code does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import typer.main

import orchard_client
from orchard_client import AsyncClient, Client, errors, groups
from orchard_client.cli import wording
from orchard_client.cli.app import app
from orchard_client.cli.outcomes import CODES
from orchard_client.operations import Feed, Group, Operation, Procedure

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")


def table(title: str) -> dict[str, str]:
    """A table by its first two columns, without back-ticks."""
    part = PAGE.split(f"| {title} |", 1)[1].split("\n\n", 1)[0]
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    return {first.replace("`", ""): second.replace("`", "") for first, second in found}


def commands() -> dict[str, str]:
    """Every command with its own words."""
    top = typer.main.get_command(app)
    found: dict[str, str] = {}
    for name, command in top.commands.items():
        inner = getattr(command, "commands", None)
        for below, one in (inner or {"": command}).items():
            found[f"{name} {below}".strip()] = one.help
    return found


def test_every_command_is_on_the_page_with_its_own_words():
    assert table("command") == commands()


def test_examples_name_commands_and_options_that_there_are():
    top = typer.main.get_command(app)
    for line in re.findall(r"\borchard ([a-z].*?)(?: \||$)", PAGE, re.MULTILINE):
        words = line.split(" -- ")[0].split()
        command = top.commands.get(words[0])
        if command is None or line.startswith("whoami"):
            continue
        command = getattr(command, "commands", {}).get(words[1], command)
        known = {option for one in command.params for option in one.opts} | {"--json"}
        assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, line


def test_every_exit_code_is_on_the_page():
    said = {int(code): meaning for code, meaning in table("code").items() if code.isdigit()}
    ours = {code: meaning for code, meaning, _ in CODES}
    assert said == ours | {0: "done", 130: "stopped by Ctrl-C"}


def test_every_operation_is_on_the_page():
    kinds = {
        kind.__name__.lower(): kind
        for kind in vars(groups).values()
        if inspect.isclass(kind) and issubclass(kind, Group) and kind is not Group
    }
    said = {name: value.split(", ") for name, value in table("group").items()}
    assert {name: value for name, value in said.items() if name in kinds} == {
        name: [
            operation
            for operation, one in vars(kind).items()
            if isinstance(one, Operation | Procedure | Feed)
        ]
        for name, kind in kinds.items()
    }


def test_every_error_is_on_the_page():
    section = PAGE.split("### Errors")[1].split("\n## ")[0]
    kinds = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.OrchardError)
    }
    assert set(re.findall(r"`([A-Z]\w+)`", section)) == kinds
    assert kinds <= set(orchard_client.__all__)


def test_examples_in_python_name_what_there_is():
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        compile(code, "docs/client.md", "exec")
        client = Client("http://127.0.0.1:9", "x")
        for group, operation in re.findall(r"orchard\.(\w+)\.(\w+)\(", code):
            assert callable(getattr(getattr(client, group), operation))
        for name in re.findall(r"orchard\.(\w+)\(", code):
            assert callable(getattr(client, name))
            assert callable(getattr(AsyncClient, name))
        for names in re.findall(r"from orchard_client import (.+)", code):
            assert set(names.split(", ")) <= set(orchard_client.__all__)
        client.close()


def test_what_type_checkers_see_is_what_can_be_imported():
    source = Path(orchard_client.__file__).read_text("utf-8")
    seen = set(re.findall(r"^    from orchard_client\.\S+ import (\w+) as", source, re.MULTILINE))
    assert seen == set(orchard_client.__all__) - {"__version__"}
    assert all(getattr(orchard_client, name).__name__ == name for name in seen)
    assert not hasattr(orchard_client, "Nonsense")


def test_all_that_the_command_line_says_is_in_its_one_place():
    texts = {value for name, value in vars(wording).items() if name.isupper()}
    assert set(commands().values()) <= texts
    folder = Path(wording.__file__).parent
    for path in folder.glob("*.py"):
        code = path.read_text("utf-8")
        loose = re.findall(r"help=\"|BadParameter\(f?\"|metavar=\"[a-z]", code)
        assert loose == [], path.name


def test_help_knows_the_arguments_and_words_of_each_operation():
    with Client("http://127.0.0.1:9", "x") as client:
        method = client.jobs.transcribe
        assert "Hand a recording in" in (inspect.getdoc(method) or "")
        assert list(inspect.signature(method).parameters)[:2] == ["file", "form"]
