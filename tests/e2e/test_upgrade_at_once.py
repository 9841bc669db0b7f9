"""Upgrades at the same time as something else."""

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

import pytest
from support.binary import BINARY
from support.crowd import LONG
from support.upgrades import assert_upgrades, client_of, pair

MANY = 40 if LONG else 8

pytestmark = pytest.mark.limit(300)


def at_once(*tasks):
    """What the tasks return, each on a thread of its own."""
    results = [None] * len(tasks)

    def run(number, task):
        results[number] = task()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_reload_and_an_upgrade_at_once_both_succeed(echoing, program, address):
    with client_of(address):
        for _ in range(MANY):
            program.become_another_build()
            done = at_once(lambda: echoing.tell("reload"), lambda: echoing.tell("upgrade"))
            assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
            echoing.wait_until_whole()
            assert program.is_run_by(*pair(echoing))
        assert_upgrades(echoing, succeeded=MANY)


def test_two_upgrades_at_once_both_succeed(echoing, program, address):
    with client_of(address):
        for _ in range(MANY):
            program.become_another_build()
            done = at_once(lambda: echoing.tell("upgrade"), lambda: echoing.tell("upgrade"))
            assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 2
            echoing.wait_until_whole()
            assert program.is_run_by(*pair(echoing))


def test_the_worker_may_die_at_any_moment_of_an_upgrade(echoing, program, address):
    echoing.expect_log(r" error worker died")
    echoing.expect_log(r" error upgrade rolled back ")  # it may have been the new one
    chance = random.Random(1)
    with client_of(address):
        for _ in range(MANY):
            program.become_another_build()
            worker, pause = echoing.worker_pid, chance.uniform(0, 0.06)

            def kill():
                threading.Event().wait(pause)
                with contextlib.suppress(ProcessLookupError):  # it has made way
                    os.kill(worker, signal.SIGKILL)

            done, _ = at_once(lambda: echoing.tell("upgrade"), kill)
            assert (done.returncode, done.stderr) == (0, "")
            echoing.wait_until_whole()
            assert program.is_run_by(*pair(echoing))
    assert echoing.metrics().value("holdfast_connections_lost_in_recovery_total") == 0


def test_the_guardian_may_die_while_the_program_is_looked_at(echoing, program, address):
    """Nobody is left who would upgrade; it is asked for once more."""
    echoing.expect_log(r" error guardian died")
    guardian = echoing.guardian_pid
    with client_of(address):
        script = f'#!/bin/sh\nkill -KILL {guardian} 2>/dev/null\nexec {BINARY} "$@"\n'
        program.become(script.encode())
        done = echoing.tell("upgrade")
        assert (done.returncode, done.stderr) == (0, "")
        echoing.follow_guardian(-signal.SIGKILL)
        echoing.wait_until_whole()
        assert all(Path(f"/proc/{pid}/exe").samefile(BINARY) for pid in pair(echoing))
        assert_upgrades(echoing, succeeded=1)


def test_the_guardian_may_die_at_any_moment_of_an_upgrade(echoing, program, address):
    """Whoever is left goes on: the worker, the keeper of the old image, or the new program."""
    echoing.expect_log(r" error (guardian died|upgrade rolled back |worker died)")
    chance = random.Random(2)
    first_ended_with = -signal.SIGKILL
    with client_of(address):
        for _ in range(MANY):
            program.become_another_build()
            guardian, pause = echoing.guardian_pid, chance.uniform(0, 0.08)

            def kill():
                threading.Event().wait(pause)
                os.kill(guardian, signal.SIGKILL)

            at_once(lambda: echoing.tell("upgrade"), kill)
            echoing.follow_guardian(first_ended_with)
            echoing.wait_until_whole()
    assert echoing.metrics().value("holdfast_connections_lost_in_recovery_total") == 0
