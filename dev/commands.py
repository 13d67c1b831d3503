"""The verbs of `python -m dev`, once its packages are installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import requests

from dev import checks, error_page, sample, vendoring
from dev.bench import running as bench
from dev.demo import by_hand
from dev.demo.gateway_client import GatewayClient
from dev.demo.narration import Narrator
from dev.demo.seeding import store_sample
from dev.demo.walkthrough import walk
from dev.errors import DevError
from dev.soak import running as soak
from dev.stack.running import running_stack
from dev.stack.signals import raise_on_stop_signals

if TYPE_CHECKING:
    from dev.options import Command, StackOptions
    from dev.stack.running import Stack


def run(command: Command) -> int:
    """Do what the command says and give its exit status."""
    match command.verb:
        case "test":
            return checks.test(command.pytest_arguments)
        case "lock":
            return checks.lock(is_upgrade=command.is_upgrade)
        case "docs":
            error_page.write()
        case "vendor":
            vendoring.write()
        case "up":
            _up(command.stack)
        case "run":
            _run(command.stack, is_once=command.is_once)
        case "bench":
            bench.run(command.names, is_quick=command.is_quick)
        case "soak":
            return soak.run(command.names, seconds=command.seconds)
    return 0


def _up(options: StackOptions) -> None:
    """Start the stack and serve until it is told to stop."""
    _say_starting()
    with running_stack(options) as stack:
        if not options.is_empty:
            administrator = GatewayClient(stack.gateway, key=sample.HOST_KEY, key_name="host key")
            store_sample(administrator, stack.ports)
        _say_ready(stack)
        _say(f"\n{by_hand.addresses(stack)}\n")
        if not options.is_empty:
            _say(f"{by_hand.sign_in(stack)}\n")
            _say(f"{by_hand.calls(stack)}\n")
        _serve(stack)


def _run(options: StackOptions, *, is_once: bool) -> None:
    """Start the stack, show the main job, and serve on unless once is enough."""
    narrator = Narrator(sys.stdout)
    _say_starting()
    with running_stack(options) as stack:
        _say_ready(stack)
        try:
            walk(stack.gateway, stack.ports, narrator)
        except DevError:
            # A part that died explains it better.
            stack.require_alive()
            raise
        except (requests.RequestException, LookupError, TypeError) as error:
            # No answer at all, or one without what the step reads from it.
            stack.require_alive()
            raise DevError(f"Step {narrator.title!r} did not work: {error!r}") from error
        if not is_once:
            narrator.start_section("Try it yourself")
            _say(f"{by_hand.addresses(stack)}\n")
            _say(f"{by_hand.calls(stack)}\n")
            _serve(stack)


def _serve(stack: Stack) -> None:
    _say("Ctrl+C stops everything.")
    stack.serve()


def _say_starting() -> None:
    raise_on_stop_signals()
    _say("Starting the local stack ...")


def _say_ready(stack: Stack) -> None:
    _say(f"ready {stack.gateway}")


def _say(text: str) -> None:
    """Print at once, also where the output is a pipe."""
    print(text, flush=True)
