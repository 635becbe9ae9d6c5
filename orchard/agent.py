"""The worker program: ``python -m orchard.agent --master http://…`` on any machine.

It needs HTTP access to the master and a token with the scope ``worker``;
nothing of the server is imported.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from orchard import tracing
from orchard.agents.log_sending import LogSender
from orchard.agents.master import Master, Refused
from orchard.agents.processors import parse_processors
from orchard.agents.work import Agent, Plan
from orchard.transcribers import NAMES, load
from orchard.transcribers.base import Options, Transcriber, TranscriberFailed
from orchard.transcribers.late import LateTranscriber

NONE = "none"
"""No transcriber: an agent that does other types of jobs alone."""

log = logging.getLogger("orchard.agent")


def make_parser(parser: argparse.ArgumentParser | None = None) -> argparse.ArgumentParser:
    """The options of an agent; the environment gives their defaults."""
    parser = parser or argparse.ArgumentParser("orchard.agent", description=__doc__)
    env = os.environ.get
    add = parser.add_argument
    add("--master", default=env("ORCHARD_MASTER", "http://127.0.0.1:8000"), help="its address")
    add("--token-file", default=env("ORCHARD_TOKEN_FILE", ""), help="file with the token")
    add("--name", default="", help="name in the fleet (default: host name and slot)")
    add("--slot", type=int, default=1, help="tells agents of one host apart")
    add("--transcriber", default=env("ORCHARD_TRANSCRIBER", NAMES[0]), choices=(*NAMES, NONE))
    add(
        "--do", action="append", default=[], metavar="TYPE=HOW", help="do another type of jobs, "
        "too: text=words, text=command:…, or TYPE=package.module:function; may be repeated",
    )  # fmt: skip
    add("--label", action="append", default=[], help="what this agent has, such as gpu or site=x")
    add("--model", default=env("ORCHARD_MODEL", ""), help="name or folder (default: the bundled)")
    add("--threads", type=int, default=int(env("OMP_NUM_THREADS", "0")), help="0: all processors")
    add("--late", action="store_true", help="load the model when the first chunk is there")
    add("--url", default="", help="address of the service, for --transcriber http")
    add("--grace", type=float, default=30.0, help="seconds a chunk may take after SIGTERM")
    add("--once", action="store_true", help="leave after one chunk")
    add(
        "--send-logs", action=argparse.BooleanOptionalAction, default=True,
        help="send log lines to the master as well (default: yes)",
    )  # fmt: skip
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an agent until SIGTERM or Ctrl-C; returns its exit code."""
    return run_agent(make_parser().parse_args(arguments))


def run_agent(chosen: argparse.Namespace) -> int:
    """Run an agent with these options; returns its exit code."""
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        token = _read_token(chosen.token_file)
        if chosen.send_logs:
            sender = LogSender(chosen.master, token, _name(chosen))
            logging.getLogger().addHandler(sender)
        agent = _make_agent(chosen, token)
        with tracing.running("agent", os.environ.get("ORCHARD_TRACES", "")):
            agent.work()
    except (TranscriberFailed, Refused, OSError, ValueError) as fault:
        log.error("%s", fault)
        return 1
    return 0


def default_name(slot: int) -> str:
    """This host's name and the slot, which stay the same over restarts."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).strip("-._")[:50] or "agent"
    return f"{host}-{slot}"


def _make_agent(chosen: argparse.Namespace, token: str) -> Agent:
    options = Options(model=chosen.model, threads=chosen.threads, url=chosen.url)
    transcriber = _transcriber(chosen, options)
    processors = parse_processors(chosen.do)
    if transcriber is None and not processors:
        raise ValueError("nothing to do: --transcriber none needs at least one --do TYPE=HOW")
    capabilities = {"transcriber": chosen.transcriber}
    if transcriber is not None:
        capabilities["model"] = chosen.model or "bundled"
    plan = Plan(
        capabilities=capabilities, processors=processors, labels=tuple(chosen.label),
        grace_s=chosen.grace, once=chosen.once,
    )  # fmt: skip
    agent = Agent(Master(chosen.master, token, _name(chosen)), transcriber, plan)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _Stop(agent))
    return agent


def _transcriber(chosen: argparse.Namespace, options: Options) -> Transcriber | None:
    if chosen.transcriber == NONE:
        return None
    if chosen.late:
        return LateTranscriber(lambda: load(chosen.transcriber, options))
    return load(chosen.transcriber, options)


def _name(chosen: argparse.Namespace) -> str:
    return chosen.name or default_name(chosen.slot)


class _Stop:
    """A first signal lets the agent finish its chunk; a second one ends it at once."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._asked = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + signum)
        self._asked = True
        self._agent.stop()


def _read_token(path: str) -> str:
    """The token from its file or the environment; never from the command line, which others see."""
    token = Path(path).read_text().strip() if path else os.environ.get("ORCHARD_TOKEN", "")
    if not token:
        raise ValueError("no token: give --token-file, or set ORCHARD_TOKEN")
    return token


if __name__ == "__main__":
    sys.exit(main())
