"""Backends under quick health checks, and what is told of them."""

import json
import re

from support.configuration import web
from support.waiting import wait_until

QUICK = {"interval": "50ms", "timeout": "2s", "rise": 1, "fall": 1}


def checked(front, *backends, **health):
    """Backends under quick checks with these keys."""
    return web(f"127.0.0.1:{front}", *backends, pool={"health": QUICK | health})


def state(daemon, backend="web-1"):
    metrics = daemon.metrics()
    for name in ("unknown", "up", "down"):
        if metrics.value("holdfast_backend_state", pool="web", backend=backend, state=name) == 1:
            return name
    return None


def wait_for_state(daemon, wanted, backend="web-1"):
    wait_until(lambda: state(daemon, backend) == wanted, 20, f"{backend} is not {wanted}")


def assert_goes_down(daemon, reason, backend="web-1"):
    """It is down, for the reason that the log and the last event tell alike."""
    wait_for_state(daemon, "down", backend)
    daemon.wait_for_log(rf"backend down pool=web backend={backend} reason=.*{re.escape(reason)}")
    events = json.loads(daemon.get("/api/v1/events")[2])
    down = [event["fields"] for event in events if event["event"] == "backend_down"]
    reasons = [fields["reason"] for fields in down if fields["backend"] == backend]
    assert reason in reasons[-1]
    failed = "holdfast_backend_health_checks_total"
    assert daemon.metrics().value(failed, pool="web", backend=backend, result="failed") >= 1
