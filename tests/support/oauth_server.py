"""A local stand-in for Google: authorize, token and keys over HTTP, with a real RSA key."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID = "crm-test-client"
CLIENT_SECRET = "crm-test-secret"
KEY_ID = "key-1"


class OAuthServer:
    """`with OAuthServer() as google`: set `claims` for whom it vouches, `fails` for a broken token endpoint.

    `wrong_key` signs with a key it does not publish. `codes` holds what it has handed out.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.wrong_key: rsa.RSAPrivateKey | None = None
        self.claims: dict[str, Any] = {}
        self.fails: tuple[int, bytes] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, Any]:
        """Return what `settings.GOOGLE` needs to come here."""
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "jwks_url": f"{self.url}/keys",
            "redirect_url": "http://testserver/shop/{shop}/api/v1/auth/google/callback",
            "issuers": (self.url,),
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Consent as the user: return where the browser is sent back to, with code and state."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(12)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Redeem a code, once, for its own redirect and the verifier of its challenge."""
        query = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            query is None
            or form.get("client_secret") != CLIENT_SECRET
            or form.get("redirect_uri") != query["redirect_uri"]
            or base64.urlsafe_b64encode(verifier).decode().rstrip("=") != query["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "1234567890",
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            "email_verified": True,
        } | self.claims
        token = jwt.encode(claims, self.wrong_key or self.key, algorithm="RS256", headers={"kid": KEY_ID})
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": token}

    def keys(self) -> dict[str, Any]:
        """Return the published keys."""
        return {"keys": [{**json.loads(RSAAlgorithm.to_jwk(self.key.public_key())), "kid": KEY_ID, "use": "sig"}]}


def _handler(server: OAuthServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            server.asked.append(parts.path)
            if parts.path == "/keys":
                self._send(200, json.dumps(server.keys()).encode())
            elif parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", server.authorize(query))
                self.end_headers()
            else:
                self._send(404, b"{}")

        def do_POST(self) -> None:
            server.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if server.fails:
                self._send(*server.fails)
                return
            status, answer = server.token({name: values[0] for name, values in parse_qs(body).items()})
            self._send(status, json.dumps(answer).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
