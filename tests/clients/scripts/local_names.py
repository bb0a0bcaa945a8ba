"""Let every name below localhost mean this machine, as a DNS entry would: some clients put the key there.

With LOCAL_HTTPS, a port, so do Akismet's own names, at that port.
"""

import os
import socket

_ask = socket.getaddrinfo


def _here(host, port, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else str(host)
    if "LOCAL_HTTPS" in os.environ and f".{name}".endswith(".rest.akismet.com"):
        return _ask("127.0.0.1", int(os.environ["LOCAL_HTTPS"]), *args, **kwargs)
    return _ask("127.0.0.1" if name.endswith(".localhost") else host, port, *args, **kwargs)


socket.getaddrinfo = _here
