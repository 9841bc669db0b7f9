"""Configurations that tests have in common."""

import json


def web(bind, *backends, rest=""):
    """One listener and one pool, both named web, whose backends web-1, web-2 ... have these
    addresses. `bind` is an address or a list of them; `rest` is added as it is."""
    named = [
        {"name": f"web-{number}", "address": address} for number, address in enumerate(backends, 1)
    ]
    # JSON is YAML too.
    return f"""
listeners: [{{ name: web, bind: {json.dumps(bind)}, pool: web }}]
pools: [{{ name: web, backends: {json.dumps(named)} }}]
{rest}
"""
