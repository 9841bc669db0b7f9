"""Upgrades at the same time as something else."""

import contextlib
import os
import random
import signal
import threading

import pytest
from support.crowd import LONG
from support.daemon import children_of, members_of
from support.upgrades import assert_upgrades, client_of, pair, upgrade
from support.waiting import wait_until

DEATHS = r" error (worker|guardian) died"
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


@pytest.mark.parametrize("victim", ["worker", "guardian"])
def test_a_process_may_die_at_any_moment_of_an_upgrade(echoing, program, address, victim):
    """Whether the upgrade comes of it or not, every connection goes on and the next one works."""
    echoing.expect_log(DEATHS)
    echoing.expect_log(r" error upgrade rolled back ")
    chance = random.Random(victim)
    with client_of(address):
        for _ in range(MANY):
            program.become_another_build()
            moment = threading.Event()
            pid = echoing.worker_pid if victim == "worker" else echoing.guardian_pid

            def kill():
                moment.wait(chance.uniform(0, 0.06))
                with contextlib.suppress(ProcessLookupError):  # it has made way
                    os.kill(pid, signal.SIGKILL)

            done, _ = at_once(lambda: echoing.tell("upgrade"), kill)
            assert done.returncode in (0, 1), done.stderr
            if victim == "guardian":
                wait_until(lambda: pid not in members_of(echoing.pid))
                echoing.follow_guardian(-signal.SIGKILL)
            echoing.wait_until_whole()
        upgrade(echoing)
        assert program.is_run_by(*pair(echoing))
        assert echoing.metrics().value("holdfast_connections_lost_in_recovery_total") == 0
