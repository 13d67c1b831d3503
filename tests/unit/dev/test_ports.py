"""The block of ports that a stack takes."""

from __future__ import annotations

import pytest

from dev.errors import DevError
from dev.stack.ports import (
    BLOCK_SIZE,
    MAX_INSTANCES,
    MAX_PORT,
    PortBlock,
    free_block,
    require_free,
)


def test_default_block_is_the_documented_one():
    """README, settings and simulators name these ports."""
    assert PortBlock().by_part(instances=2) == [
        ("host-1", 7071),
        ("host-2", 7072),
        ("entra", 7091),
        ("business-central", 7092),
        ("key-vault", 7093),
        ("identity", 7094),
        ("azurite", 7095),
        ("azurite", 7096),
        ("azurite", 7097),
    ]


@pytest.mark.parametrize("base", [1024, 7071, MAX_PORT])
def test_full_block_has_no_port_twice_and_none_outside(base):
    """Even with the most instances, each part has a port of its own within the block."""
    ports = [port for _, port in PortBlock(base).by_part(MAX_INSTANCES)]

    assert len(set(ports)) == len(ports)
    assert set(ports) <= set(range(base, base + BLOCK_SIZE))
    assert max(ports) <= 65535


def test_taken_port_is_named_with_its_part_and_the_way_out():
    """A developer learns which port is taken, who needs it, and how to move."""
    with pytest.raises(DevError) as problem:
        require_free(PortBlock(7071), 1, is_free=lambda port: port != 7093)

    assert "Port 7093, which key-vault needs" in str(problem.value)
    assert "--port 7171" in str(problem.value)


def test_port_of_an_instance_that_is_not_wanted_may_be_taken():
    """Only the ports of the instances that are started have to be free."""
    require_free(PortBlock(7071), 1, is_free=lambda port: port != 7072)


def test_block_of_a_passing_stack_has_no_taken_port():
    """One taken port rules out its block, and no other."""
    block = free_block(2, is_free=lambda port: port in range(25_000, 25_126))

    assert block == PortBlock(25_000)


def test_no_free_block_is_told():
    """A machine full of stacks gets a reason, not a stack without ports."""
    with pytest.raises(DevError, match="No block of free ports"):
        free_block(2, is_free=lambda _port: False)
