"""A real nginx under the documented configuration, with a certificate of its own, on loopback ports."""

import os
import re
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devstack.process import Process, wait_until
from devstack.supervisor import HOST, PROJECT
from tests.faults.site import free_port, listens

NAME = "crm.example.com"
DOCUMENTED = PROJECT / "docs/deployment/nginx.conf"
PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
LISTEN = re.compile(r"^ *listen (?P<v6>\[::\]:)?(?P<port>\d+)(?P<rest>.*);\n", re.MULTILINE)
MAIN = """
daemon off;
{user}
worker_processes 1;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/site.conf;
}}
"""


class Nginx:
    """nginx in front of the web server on `upstream`; `changes` are made to the documented text."""

    def __init__(self, place: Path, upstream: int, changes: dict[str, str] | None = None) -> None:
        place.mkdir()
        self.place = place
        self.ports = {"80": free_port(), "443": free_port()}
        self.certificate = make_certificate(place)
        (place / "site.conf").write_text(self._site(upstream, changes or {}))
        user = "user root;" if os.geteuid() == 0 else ""
        (place / "nginx.conf").write_text(MAIN.format(place=place, user=user))
        command = [PROGRAM or "nginx", "-p", place, "-c", place / "nginx.conf", "-e", place / "error.log"]
        self.process = Process("nginx", command, place / "nginx.log")

    @property
    def plain(self) -> int:
        """The port that stands for 80."""
        return self.ports["80"]

    @property
    def encrypted(self) -> int:
        """The port that stands for 443."""
        return self.ports["443"]

    def __enter__(self) -> Self:
        self.process.start()
        try:
            if not wait_until(lambda: listens(self.plain) and listens(self.encrypted), 15):
                raise RuntimeError(f"nginx does not listen: {self.process.last_lines()}")
        except BaseException:
            self.process.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def context(self) -> ssl.SSLContext:
        """What trusts this server's certificate alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _site(self, upstream: int, changes: dict[str, str]) -> str:
        """The documented text with ports and paths of this place."""
        text = DOCUMENTED.read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        text = LISTEN.sub(self._listen, text)
        return text.replace("127.0.0.1:8000", f"{HOST}:{upstream}").replace("/etc/ssl/crm", str(self.place))

    def _listen(self, found: re.Match[str]) -> str:
        return "" if found["v6"] else f"    listen {HOST}:{self.ports[found['port']]}{found['rest']};\n"


def make_certificate(place: Path) -> Path:
    """Write a key and a certificate that it has signed itself, and return the certificate's path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (place / "privkey.pem").write_bytes(secret)
    path = place / "fullchain.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path
