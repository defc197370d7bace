"""A function on a second thread: what it returns and raises arrives, and nobody goes on before it has ended."""

from __future__ import annotations

import threading

import pytest

from calibvcs.store.objects.beside import Beside


def test_it_runs_beside_and_returns() -> None:
    met = threading.Barrier(2, timeout=10)

    def run() -> int:
        met.wait()
        return threading.get_ident()

    with Beside(run) as other:
        met.wait()
        assert other.result() != threading.get_ident()


def test_what_it_raises_is_raised_where_its_result_is_wanted() -> None:
    def run() -> None:
        raise OSError("the disk fails")

    with pytest.raises(OSError, match="the disk fails"), Beside(run) as other:
        other.result()


def test_a_body_that_fails_waits_for_it() -> None:
    go_on, ended = threading.Event(), []

    def run() -> None:
        go_on.wait(10)
        ended.append(True)

    def fail() -> None:
        with Beside(run):
            go_on.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert ended == [True]
