"""Configurations that tests have in common."""

import json

FAST_CHECKS = {"interval": "100ms", "timeout": "100ms", "rise": 2, "fall": 2}
NO_CHECKS = {"type": "none"}


def web(bind, *backends, listener=None, pool=None, weights=(), rest=""):
    """One listener and one pool, both named web, whose backends web-1, web-2 ... have these
    addresses, and these weights where given. `bind` is an address or a list of them; `listener`
    and `pool` are further settings of theirs, and `rest` is added as it is."""
    named = [
        {"name": f"web-{number}", "address": address} for number, address in enumerate(backends, 1)
    ]
    for backend, weight in zip(named, weights):
        backend["weight"] = weight
    listener = {"name": "web", "bind": bind, "pool": "web", **(listener or {})}
    pool = {"name": "web", "backends": named, **(pool or {})}
    # JSON is YAML too.
    return f"""
listeners: [{json.dumps(listener)}]
pools: [{json.dumps(pool)}]
{rest}
"""
