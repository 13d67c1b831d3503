"""Which part of the stack listens where: one block of ports that moves as a whole."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.errors import DevError

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
DEFAULT_PORT = 7071
MAX_INSTANCES = 20
BLOCK_SIZE = 27
MAX_PORT = 65535 - BLOCK_SIZE + 1
# Below the ports that systems give to outgoing connections, which come and go.
_PASSING_BASES = range(20_000, 32_000, 100)


@dataclass(frozen=True, slots=True)
class PortBlock:
    """The ports of one stack, counted from its base."""

    base: int = DEFAULT_PORT

    def instance(self, number: int) -> int:
        """Give the port of host instance `number`, counted from 1."""
        return self.base + number - 1

    @property
    def entra(self) -> int:
        """Entra's sign-in pages and token endpoint."""
        return self.base + 20

    @property
    def business_central(self) -> int:
        """Business Central's web services."""
        return self.base + 21

    @property
    def key_vault(self) -> int:
        """Key Vault's data plane."""
        return self.base + 22

    @property
    def identity(self) -> int:
        """The managed identity's endpoint."""
        return self.base + 23

    @property
    def blob(self) -> int:
        """Azurite's blobs."""
        return self.base + 24

    @property
    def queue(self) -> int:
        """Azurite's queues."""
        return self.base + 25

    @property
    def table(self) -> int:
        """Azurite's tables."""
        return self.base + 26

    def by_part(self, instances: int) -> list[tuple[str, int]]:
        """List every port that a stack of so many instances takes, with the part's name."""
        return [
            *((f"host-{number}", self.instance(number)) for number in range(1, instances + 1)),
            ("entra", self.entra),
            ("business-central", self.business_central),
            ("key-vault", self.key_vault),
            ("identity", self.identity),
            ("azurite", self.blob),
            ("azurite", self.queue),
            ("azurite", self.table),
        ]


def url(port: int, *, scheme: str = "http") -> str:
    """Give the base URL of a port of the stack."""
    return f"{scheme}://{HOST}:{port}"


def is_free(port: int) -> bool:
    """Tell whether the port can be listened on."""
    with socket.socket() as probe:
        # On Windows SO_REUSEADDR would share a port in use; elsewhere it only skips TIME_WAIT.
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(
    block: PortBlock, instances: int, *, is_free: Callable[[int], bool] = is_free
) -> None:
    """Raise DevError if another process listens on a port of the block."""
    for part, port in block.by_part(instances):
        if not is_free(port):
            raise DevError(
                f"Port {port}, which {part} needs, is taken by another process.\n"
                "Stop that one (another stack, perhaps), or move all ports of this one with --port,"
                f" such as --port {min(block.base + 100, MAX_PORT)}."
            )


def free_block(instances: int, *, is_free: Callable[[int], bool] = is_free) -> PortBlock:
    """Find a block for a stack that is there for a while only, so that several have room."""
    for base in random.sample(_PASSING_BASES, len(_PASSING_BASES)):
        block = PortBlock(base)
        if all(is_free(port) for _, port in block.by_part(instances)):
            return block
    raise DevError("No block of free ports: too many stacks run on this machine.")


def is_listening(port: int) -> bool:
    """Tell whether a connection to the port is accepted."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
