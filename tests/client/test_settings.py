"""Where a client finds its server and its token, and which token goes where."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchard_client import ConfigurationError, find_server
from orchard_client.settings import config_path


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with nothing in it but a folder for the file of settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "client.toml").write_text('url = "https://far.example"\ntoken = "far"\n')
    return {"ORCHARD_CLIENT_CONFIG": str(tmp_path / "client.toml")}


def token_in(folder: Path, secret: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(f"{secret}\n")
    return folder


def test_arguments_come_before_the_environment_and_that_before_the_file(env: dict[str, str]):
    assert find_server(environ=env).url == "https://far.example"
    said = env | {"ORCHARD_URL": "http://near:1/", "ORCHARD_TOKEN": "near"}
    found = find_server(environ=said)
    assert (found.url, found.token, found.url_from) == ("http://near:1", "near", "ORCHARD_URL")
    found = find_server("http://here", "here", environ=said)
    assert (found.url, found.token, found.token_from) == ("http://here", "here", "argument")


def test_the_files_token_goes_to_the_files_server_alone(env: dict[str, str]):
    assert find_server(environ=env).token == "far"
    assert find_server("http://elsewhere", environ=env).token == ""
    assert find_server(environ=env | {"ORCHARD_URL": "http://elsewhere"}).token == ""


def test_a_data_folder_lends_its_token(env: dict[str, str], tmp_path: Path):
    token_in(tmp_path / "var", "lying-around")
    token_in(tmp_path / "data", "said")
    nothing = {"ORCHARD_CLIENT_CONFIG": "/nonexistent"}
    here = find_server(environ=nothing)
    assert (here.url, here.token) == ("http://127.0.0.1:8000", "lying-around")
    assert find_server(environ=nothing | {"PORT": "9000"}).url == "http://127.0.0.1:9000"
    assert find_server("http://elsewhere", environ=nothing).token == ""
    said = nothing | {"ORCHARD_DATA": str(tmp_path / "data"), "ORCHARD_URL": "http://web:8000"}
    assert find_server(environ=said).token == "said"


def test_a_token_can_be_in_a_file_beside_the_settings(env: dict[str, str], tmp_path: Path):
    (tmp_path / "secret").write_text("kept-apart\n")
    (tmp_path / "client.toml").write_text('url = "http://far"\ntoken_file = "secret"\n')
    assert find_server(environ=env).token == "kept-apart"
    assert find_server(token_file=tmp_path / "secret", environ=env).token == "kept-apart"


def test_the_file_lies_where_a_users_settings_lie():
    assert config_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/orchard/client.toml")
    assert config_path({"HOME": "/h"}) == Path("/h/.config/orchard/client.toml")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("url = 5", "only texts named"), ("uri = 'x'", "uri: only texts named"),
        ("url", "cannot be read"), ("url = 'far'", "is no address"),
        ("url = 'http://x'\ntoken = 'a b'", "no token has"),
        ("url = 'http://x'\ntoken_file = 'none'", "cannot be read"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    env: dict[str, str], tmp_path: Path, file: str, reason: str
):
    (tmp_path / "client.toml").write_text(file)
    with pytest.raises(ConfigurationError, match=reason):
        find_server(environ=env)
