"""A small API of people behind oauthlib's own OAuth 1 provider: ``python oauth1_server.py PORT``.

Run in the servers' environment; it takes nothing that is not signed right, nor a nonce twice.
The tests' own hand is known by a header instead.
"""

import itertools
import sys

from flask import Flask, abort, jsonify, request
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, RequestValidator, ResourceEndpoint

CLIENT = "app", "app-secret&+é"
TOKEN = "token", "token-secret"
HAND = "only-for-tests-on-this-machine"


class Known(RequestValidator):
    """One client with one token, both known."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256)
    enforce_ssl = False
    client_key_length = access_token_length = 1, 60
    nonce_length = 8, 60
    dummy_client = dummy_access_token = "nobody"

    def __init__(self, endpoint=None):
        super().__init__()
        self.seen = set()

    def validate_client_key(self, client_key, request):
        return client_key == CLIENT[0]

    def validate_access_token(self, client_key, token, request):
        return token == TOKEN[0]

    def get_client_secret(self, client_key, request):
        return CLIENT[1]

    def get_access_token_secret(self, client_key, token, request):
        return TOKEN[1]

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        fresh = (timestamp, nonce) not in self.seen
        self.seen.add((timestamp, nonce))
        return fresh

    @property
    def safe_characters(self):
        return set(map(chr, range(33, 127)))


app = Flask(__name__)
endpoint = ResourceEndpoint(Known())
people, numbers = {}, itertools.count(1)


@app.before_request
def signed():
    """Refuse what is not signed."""
    if request.headers.get("X-Hand") == HAND:
        return None
    good, _ = endpoint.validate_protected_resource_request(
        request.url, request.method, request.get_data(), dict(request.headers)
    )
    if not good:
        return jsonify(error="signature invalid"), 401
    return None


@app.get("/people")
def listed():
    page, size = request.args.get("page", 1, int), request.args.get("per_page", 20, int)
    email = request.args.get("email")
    rows = [row for row in people.values() if email in {None, row["email"]}]
    return jsonify(people=rows[(page - 1) * size : page * size], total=len(rows))


@app.post("/people")
def made():
    given = request.get_json(silent=True) or request.form.to_dict()
    if any(row["email"] == given["email"] for row in people.values()):
        return jsonify(error="email is taken"), 409
    number = next(numbers)
    people[number] = {"id": number, **given}
    return jsonify(people[number]), 201


@app.route("/people/<int:number>", methods=["GET", "PUT", "DELETE"])
def one(number):
    if number not in people:
        abort(404)
    if request.method == "DELETE":
        del people[number]
        return "", 204
    if request.method == "PUT":
        people[number] |= request.get_json(silent=True) or request.form.to_dict()
    return jsonify(people[number])


app.run("127.0.0.1", int(sys.argv[1]))
