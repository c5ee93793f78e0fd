"""Credentials that are not in the request alone: digest's challenges, and certificates of clients."""

import hashlib
import ipaddress
import re
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from antiphon.auth import All, Bearer, Digest, Mtls
from antiphon.auth.digest import challenges
from antiphon.client import Client
from antiphon.errors import SettingError, Unauthorized

from .tiny import an_api

# Digest


def answer(  # noqa: PLR0917 - the RFC has them in this order
    algorithm, method, uri, user, password, realm, nonce, qop="", nc="", cnonce=""
):
    """Return the response as RFC 7616, 3.4.1, has it."""

    def hashed(text):
        return hashlib.new(algorithm.removesuffix("-SESS").replace("-", "").lower(), text.encode()).hexdigest()

    first = hashed(f"{user}:{realm}:{password}")
    if algorithm.endswith("-SESS"):
        first = hashed(f"{first}:{nonce}:{cnonce}")
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return hashed(f"{first}:{middle}:{hashed(f'{method}:{uri}')}")


MUFASA = ("GET", "/dir/index.html", "Mufasa")
RFC_7616 = (
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "auth",
    "00000001",
    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
)
RFC_2617 = ("dcd98b7102dd2f0e8b11d0f600bfb0c093", "auth", "00000001", "0a4f113b")


@pytest.mark.parametrize(
    ("algorithm", "password", "realm", "rest", "response"),
    [
        ("MD5", "Circle of Life", "http-auth@example.org", RFC_7616, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256",
            "Circle of Life",
            "http-auth@example.org",
            RFC_7616,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        ("MD5", "Circle Of Life", "testrealm@host.com", RFC_2617, "6629fae49393a05397450978507c4ef1"),
    ],
    ids=["RFC 7616 3.9.1", "RFC 7616 3.9.1", "RFC 2617 3.5"],
)
def test_the_judge_computes_the_published_answers(algorithm, password, realm, rest, response):
    assert answer(algorithm, *MUFASA, password, realm, *rest) == response


class Guarded(ThreadingHTTPServer):
    """Lets in who answers its challenge; a nonce is good for some uses, each with a higher count than the last."""

    daemon_threads = True

    def __init__(self, challenge, *, user="ada", password="pass:wörd", uses=99, algorithm="MD5"):
        self.challenge, self.uses, self.algorithm = challenge, uses, algorithm
        self.user, self.password, self.nonces, self.seen = user, password, {}, []
        super().__init__(("127.0.0.1", 0), Guard)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Guard(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = self.headers.get("Authorization", "").encode("latin-1").decode()
        self.server.seen.append(given)
        stale = ""
        if given:
            [(scheme, found)] = challenges(given)
            assert scheme == "digest"
            stale = self.verdict(found, given)
            if stale == "ok":
                return self.say(200)
        nonce = f"n{len(self.server.seen)}"
        self.server.nonces[nonce] = 0
        return self.say(401, self.server.challenge.replace("NONCE", nonce) + stale)

    do_POST = do_GET  # noqa: N815

    def verdict(self, found, given):
        server = self.server
        assert not re.search(r'(algorithm|qop|nc)="', given), "RFC 7616, 3.4: these have no quotes"
        assert found["uri"] == self.path
        user = found["username"].replace(r"\"", '"').replace("\\\\", "\\")
        rest = [found[name] for name in ("qop", "nc", "cnonce") if name in found]
        due = answer(
            server.algorithm, self.command, self.path, user, server.password, found["realm"], found["nonce"], *rest
        )
        if found["response"] != due or user != server.user:
            return ""
        used = server.nonces.get(found["nonce"], 99)
        if rest and int(found["nc"], 16) != used + 1:
            return ""
        server.nonces[found["nonce"]] = used + 1
        return "ok" if used < server.uses else ", stale=true"

    def say(self, status, challenge=""):
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        body = b'{"results": []}'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def guarded():
    """Start a server with a challenge; give it and a client of it."""
    servers = []

    def guarded(challenge, *, user="ada", password="pass:wörd", **more):
        server = Guarded(challenge, user=user, **more)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings = {"username": user, "password": password, "base_url": server.url}
        return server, Client(an_api(auth=Digest(), settings=()), settings)

    yield guarded
    for server in servers:
        server.shutdown()
        server.server_close()


PLAIN = 'Digest realm="a, b=c", nonce="NONCE", opaque="o=", '


@pytest.mark.parametrize(
    ("challenge", "algorithm"),
    [
        (PLAIN + 'qop="auth"', "MD5"),
        ('Digest realm="old", nonce="NONCE"', "MD5"),
        (PLAIN + 'qop="auth", algorithm=MD5', "MD5"),
        (PLAIN + 'qop="auth", algorithm=MD5-sess', "MD5-SESS"),
        (PLAIN + 'qop="auth", algorithm=SHA-256', "SHA-256"),
        (PLAIN + 'qop="auth,auth-int", algorithm=SHA-512', "SHA-512"),
        (PLAIN + 'qop="auth-int, auth"', "MD5"),
        (f'Basic realm="x", {PLAIN}qop="auth"', "MD5"),
        (f'{PLAIN}qop="auth", Basic realm="x"', "MD5"),
        (
            f'{PLAIN}qop="auth", algorithm=SHA-512-256, {PLAIN}qop="auth", algorithm=SHA-256, {PLAIN}qop="auth"',
            "SHA-256",
        ),
    ],
)
def test_a_challenge_is_answered_and_its_nonce_used_again(guarded, challenge, algorithm):
    server, client = guarded(challenge, algorithm=algorithm)
    for _ in range(3):
        assert client.call("POST", "/a b?x=ü&y=%2F", params={"z": "1 2"}, json={"a": 1}) == {"results": []}
    assert [bool(given) for given in server.seen] == [False, True, True, True]


@pytest.mark.parametrize("user", ["zażółć", 'a "quoted" \\ name', "ada@example.org"])
def test_a_user_may_have_any_name(guarded, user):
    _, client = guarded(PLAIN + 'qop="auth"', user=user)
    client.call("GET", "/x")


def test_a_nonce_that_has_run_out_is_not_the_passwords_fault(guarded):
    server, client = guarded(PLAIN + 'qop="auth"', uses=2)
    for _ in range(5):
        client.call("GET", "/x")
    assert len(server.seen) == 1 + 5 + 2


def test_a_wrong_password_is_tried_once_more_at_most_and_not_shown(guarded, waits):
    server, client = guarded(PLAIN + 'qop="auth"', password="wrong-one")
    with pytest.raises(Unauthorized, match="Check the setting password and username") as raised:
        client.call("GET", "/x")
    assert len(server.seen) == 2
    assert "wrong-one" not in str(raised.value)
    assert not waits


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (PLAIN + 'qop="auth-int"', "MD5 with qop auth-int"),
        (PLAIN + 'qop="auth", algorithm=SHA-512-256', "SHA-512-256 with qop auth"),
        (PLAIN + "algorithm=SHA-256-sess", "SHA-256-sess with qop none"),
    ],
)
def test_what_cannot_be_answered_is_named(guarded, asked, said):
    _, client = guarded(asked)
    with pytest.raises(SettingError, match=f"its digest log-in wants {said}, which is not supported"):
        client.call("GET", "/x")


def test_a_401_without_a_challenge_is_an_error(session, adapter):
    adapter.register_uri("GET", "/x", status_code=401, headers={"WWW-Authenticate": "Bearer"})
    with pytest.raises(Unauthorized):
        Client(an_api(auth=Digest(), settings=()), {"username": "u"}, session=session).call("GET", "/x")
    assert adapter.call_count == 1


def test_each_thread_counts_its_own_nonce(guarded):
    server, client = guarded(PLAIN + 'qop="auth"')
    threads = [threading.Thread(target=lambda: [client.call("GET", "/x") for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.seen) == 4 * 6


# Certificates


def certified(name, issuer=None, **more):
    """Return a key and its certificate, signed by the *issuer*'s key and certificate or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    day = timedelta(days=1)
    signer, by = issuer or (key, None)
    builder = (
        x509.CertificateBuilder(by.subject if by else subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(signing=by is None), critical=True)
    )
    return key, builder.sign(signer, hashes.SHA256())


def _usage(*, signing):
    """Return what the key is for; Python 3.13 and later trust no certificate that does not say so."""
    return x509.KeyUsage(
        digital_signature=not signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signing,
        crl_sign=signing,
        encipher_only=False,
        decipher_only=False,
    )


def pem(found, word=b""):
    kind = serialization.BestAvailableEncryption(word) if word else serialization.NoEncryption()
    return found.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A folder with the authority's certificate, and with the client's in all the forms they come in."""
    folder = tmp_path_factory.mktemp("papers")
    authority = certified("authority")
    server, client = certified("server", authority), certified("client", authority)
    word = b"open sesame"
    written = {
        "ca.pem": authority[1].public_bytes(serialization.Encoding.PEM),
        "server.pem": pem(server[0]) + server[1].public_bytes(serialization.Encoding.PEM),
        "client.crt": client[1].public_bytes(serialization.Encoding.PEM),
        "client.key": pem(client[0]),
        "locked.key": pem(client[0], word),
        "other.key": pem(server[0]),
        "both.pem": pem(client[0]) + client[1].public_bytes(serialization.Encoding.PEM),
        "client.pfx": pkcs12.serialize_key_and_certificates(
            b"x", *client, [authority[1]], serialization.BestAvailableEncryption(word)
        ),
        "open.p12": pkcs12.serialize_key_and_certificates(b"x", *client, None, serialization.NoEncryption()),
        "broken.pfx": b"nonsense",
    }
    for name, content in written.items():
        folder.joinpath(name).write_bytes(content)
    return folder


class Demanding(Guarded):
    """Reads what it was sent before it hangs up: a reset could overtake the alert that says why (TLS 1.3)."""

    def shutdown_request(self, request):
        plain = super(ssl.SSLSocket, request)
        with suppress(OSError):
            plain.shutdown(socket.SHUT_WR)
            request.settimeout(2)
            while plain.recv(65536):
                pass
        self.close_request(request)

    def handle_error(self, request, client_address):
        """Say nothing of a handshake that failed."""


@pytest.fixture(scope="module")
def demanding(papers):
    """The URL of a server that talks to those alone who show a certificate; it says whose it was."""

    class Says(Guard):
        def do_GET(self):
            self.server.seen.append(self.headers.get("Authorization"))
            self.say(200)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "server.pem")
    context.load_verify_locations(papers / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Demanding("")
    server.RequestHandlerClass = Says
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def shown(papers, demanding, auth=None, **settings):
    settings = {
        "ca_bundle": str(papers / "ca.pem"),
        "base_url": f"https://127.0.0.1:{demanding.server_port}",
        **settings,
    }
    return Client(an_api(auth=auth or Mtls(), settings=()), settings)


@pytest.mark.parametrize(
    "files",
    [
        {"client_certificate": "client.crt", "client_key": "client.key"},
        {"client_certificate": "client.crt", "client_key": "locked.key", "client_passphrase": "open sesame"},
        {"client_certificate": "both.pem"},
        {"client_certificate": "client.pfx", "client_passphrase": "open sesame"},
        {"client_certificate": "open.p12"},
    ],
    ids=["pair", "passphrase", "one file", "pfx", "pfx without a passphrase"],
)
def test_the_certificate_is_shown_in_whatever_form_it_comes(papers, demanding, files):
    paths = {k: v if k.endswith("phrase") else str(papers / v) for k, v in files.items()}
    assert shown(papers, demanding, **paths).call("GET", "/x") == {"results": []}


@pytest.mark.parametrize("newlines", [str, lambda text: text.replace("\n", "\\n")])
def test_certificate_and_key_may_be_the_texts_themselves(papers, demanding, newlines):
    texts = {
        f"client_{name}": newlines((papers / file).read_text())
        for name, file in (("certificate", "client.crt"), ("key", "client.key"))
    }
    assert shown(papers, demanding, **texts).call("GET", "/x") == {"results": []}


def test_a_token_goes_along(papers, demanding):
    client = shown(
        papers, demanding, All((Mtls(), Bearer())), client_certificate=str(papers / "both.pem"), access_token="t0ken"
    )
    client.call("GET", "/x")
    assert demanding.seen[-1] == "Bearer t0ken"


def test_without_a_certificate_the_server_says_no_and_ca_bundle_is_not_blamed(papers, demanding):
    with pytest.raises(SettingError, match="it wants another certificate of ours"):
        shown(papers, demanding, Bearer(), access_token="t").call("GET", "/x")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"client_certificate": "none.crt"}, r"a file cannot be read \(No such file"),
        ({"client_certificate": "client.crt", "client_key": "other.key"}, "the key is that of another certificate"),
        ({"client_certificate": "client.crt", "client_key": "locked.key"}, "or the passphrase is wrong"),
        (
            {"client_certificate": "client.crt", "client_key": "locked.key", "client_passphrase": "wrong-word"},
            "or the passphrase is wrong",
        ),
        ({"client_certificate": "client.pfx", "client_passphrase": "wrong-word"}, "or the passphrase is wrong"),
        ({"client_certificate": "broken.pfx"}, "it is no PFX file, or the passphrase is wrong"),
        ({"client_certificate": "client.crt"}, "no certificate and key in PEM form"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_in_one_line(papers, demanding, files, said):
    paths = {k: v if k.endswith("phrase") else str(papers / v) for k, v in files.items()}
    with pytest.raises(SettingError, match=said) as raised:
        shown(papers, demanding, **paths).call("GET", "/x")
    assert "Check the settings client_certificate and client_key and client_passphrase." in str(raised.value)
    assert "wrong-word" not in str(raised.value)


def test_a_certificate_is_shown_on_encrypted_ways_alone(papers):
    with pytest.raises(SettingError, match=r"needs https, not http://127\.0\.0\.1:9"):
        Client(
            an_api(auth=Mtls(), settings=()),
            {"client_certificate": str(papers / "both.pem"), "base_url": "http://127.0.0.1:9"},
        ).call("GET", "/x")


def test_no_file_of_ours_stays(papers, demanding, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "home"))
    secret = {"client_certificate": str(papers / "client.pfx"), "client_passphrase": "open sesame"}
    shown(papers, demanding, **secret).call("GET", "/x")
    assert not list((tmp_path / "home").iterdir())


def test_other_hosts_are_not_shown_the_certificate(papers):
    client = Client(
        an_api(auth=Mtls(hosts=("https://login.example.net/token",)), settings=()),
        {"client_certificate": str(papers / "both.pem"), "base_url": "https://api.example.org:443/v1"},
    )
    client.http.auth.prepare(client.http)

    def showing(url):
        return hasattr(client.http.session.get_adapter(url), "context")

    assert showing("https://api.example.org/v1/x")
    assert showing("https://api.example.org:443/v1/x")
    assert showing("https://login.example.net/other")
    assert not showing("https://api.example.org.evil.example/v1")
    assert not showing("https://elsewhere.example.org")
