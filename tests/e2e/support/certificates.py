"""Certificates of a test's own, made by openssl(1), and servers that show them."""

import contextlib
import ssl

from support.command import run


def openssl(*arguments):
    done = run(["openssl", *map(str, arguments)])
    assert done.returncode == 0, done.stderr


class Certificate:
    """A self-signed certificate for these names (DNS) and 127.0.0.1, good for `days` from now or,
    below 0, until so many days ago; `path` is also the ca to trust it by."""

    def __init__(self, directory, *names, days=2):
        self.path = directory / f"{names[0]}.pem"
        self._key = directory / f"{names[0]}.key"
        request = directory / f"{names[0]}.csr"
        alternatives = ",".join([*(f"DNS:{name}" for name in names), "IP:127.0.0.1"])
        openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}"),
            *("-keyout", self._key, "-out", request),
        )
        openssl(
            *("x509", "-req", "-in", request, "-signkey", self._key, "-days", days),
            *("-copy_extensions", "copy", "-out", self.path),
        )

    def handler(self, inner, seen=None):
        """For a TcpServer: shakes hands, then inner(connection). The names that clients ask for
        are appended to `seen`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self._key)
        if seen is not None:
            context.sni_callback = lambda _connection, name, _context: seen.append(name)

        def serve(connection):
            with contextlib.suppress(ssl.SSLError):  # a client that doesn't trust it
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    inner(encrypted)

        return serve
