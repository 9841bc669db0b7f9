"""Configurations that tests have in common."""

import json


def web(bind, *backends, pool="", rest=""):
    """One listener and one pool, both named web, whose backends web-1, web-2 ... have these
    addresses. `bind` is an address or a list of them. Added as they are: `pool`, keys of the pool
    as in "balance: round_robin, ", and `rest`, lines at the end."""
    named = [
        {"name": f"web-{number}", "address": address} for number, address in enumerate(backends, 1)
    ]
    # JSON is YAML too.
    return f"""
listeners: [{{ name: web, bind: {json.dumps(bind)}, pool: web }}]
pools: [{{ name: web, {pool}backends: {json.dumps(named)} }}]
{rest}
"""
