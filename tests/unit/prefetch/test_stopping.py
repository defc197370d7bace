"""Ending on SIGTERM and SIGINT: in sleep, at work, and while the disk does not answer."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

START = """
import hashlib, sys, time
from calibvcs.prefetch.stopping import Stopped, Stopping

def sleeping(stopping):
    time.sleep(60)

def working(stopping):
    while True:
        sum(range(100))

def swallowing(stopping):
    try:
        time.sleep(60)
    except BaseException:
        pass
    stopping.check()

def held_up(stopping):
    try:
        time.sleep(60)
    finally:
        time.sleep(60)

def held_up_in_a_library(stopping):
    hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)

try:
    with Stopping(exit_code=7) as stopping:
        print("ready", flush=True)
        globals()[sys.argv[1]](stopping)
except Stopped as stopped:
    print("cleaned up after", stopped, flush=True)
    sys.exit(3)
"""


def started(what: str) -> subprocess.Popen[str]:
    program = subprocess.Popen([sys.executable, "-c", START, what], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    assert program.stdout.readline() == "ready\n"
    return program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("what", ["sleeping", "working", "swallowing"])
def test_whatever_is_under_way_is_left_as_by_an_error(what: str, number: signal.Signals) -> None:
    with started(what) as program:
        program.send_signal(number)
        told, _ = program.communicate(timeout=10)
    assert (program.returncode, told) == (3, f"cleaned up after {number.name}\n")


@pytest.mark.parametrize("what", ["held_up", "held_up_in_a_library"])
def test_what_is_held_up_is_not_waited_for(what: str) -> None:
    with started(what) as program:
        time.sleep(0.1)
        program.terminate()
        told, _ = program.communicate(timeout=30)
    assert (program.returncode, told) == (7, "")


def test_signals_mean_what_they_did_before_when_it_is_over() -> None:
    end = "\nsignal = __import__('signal')\nwith Stopping(): pass\nprint(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    program = START.partition("try:\n    with Stopping")[0] + end
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
