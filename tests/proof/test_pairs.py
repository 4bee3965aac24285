"""Each construct that is proven, and the nearest that is not."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import pytest

from fastapi_async_safe._planning.proofs import rows_of
from fastapi_async_safe._proof import prove
from tests.proof import pairs_bounded, pairs_listed, pairs_missing  # noqa: F401 - collect more
from tests.proof.pairs import PAIRS

IDS = [name.replace(" ", "-") for name, _, _ in PAIRS]


@pytest.mark.parametrize("call", [call for _, call, _ in PAIRS], ids=IDS)
def test_a_construct_is_proven(call: Callable[..., Any]) -> None:
    proof = prove(call)
    assert proof.reasons == ()
    assert proof.holds
    assert proof.expects == ()
    assert proof.verdict == "proven"
    assert proof.is_current()
    nothing = object()  # the cores have objects of their own for an attribute that is not there
    rows = rows_of(proof, nothing)
    assert [row for row in rows if getattr(row[0], row[1], nothing) is not row[2]] == []


@pytest.mark.parametrize("call", [call for _, _, call in PAIRS], ids=IDS)
def test_the_nearest_form_is_not(call: Callable[..., Any]) -> None:
    proof = prove(call)
    if proof.expects:  # of calls with certain values only
        return
    assert not proof.holds
    assert proof.verdict in ("unknown", "blocks")
    assert not any("could not be followed" in reason.text for reason in proof.reasons)


class Counted(str, enum.Enum):  # noqa: UP042 - what it joins is a text
    """A text whose length is asked of code."""

    COMMA = ","

    def __len__(self) -> int:
        raise AssertionError("a proof runs nothing")


def joins_by_a_member(a: str) -> Any:
    return Counted.COMMA.join(a.split())


def test_a_text_is_not_asked_for_its_length() -> None:
    assert prove(joins_by_a_member).holds


class Proxy:
    """An object that says by code of its own what class it is of, and notes who asks."""

    asked = 0

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        Proxy.asked += 1
        return Proxy


PROXY = Proxy()


def is_given_a_proxy(a: str) -> bool:
    return PROXY is None


def test_an_object_is_not_asked_for_its_class() -> None:
    before = Proxy.asked
    assert prove(is_given_a_proxy).holds
    assert Proxy.asked == before


class NoTone(str, enum.Enum):  # noqa: UP042 - its members would be texts
    """An enumeration to which nothing was added so far."""


def is_given_a_tone(a: NoTone) -> str:
    return str.upper(a)


def test_an_enumeration_without_members_can_be_followed() -> None:
    assert prove(is_given_a_tone).holds
