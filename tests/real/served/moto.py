"""moto (https://github.com/getmoto/moto), which answers as AWS does and checks its signatures (SigV4).

Two services of it: DynamoDB, which speaks JSON, and Route 53, which speaks XML. `Aws` is AWS's own client, in the
servers' environment; what it asks isn't checked, for moto finds a signature wrong that is over a query and an empty body
without the header ``X-Amz-Content-SHA256``, and this client sends none.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import requests

from tests.real.served import Row, Served
from tests.real.served.python import programs
from tests.real.servers import LOOPBACK, free_port, start

REGION = "eu-central-1"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
CALLS = """\
import json, sys
import boto3
given = json.load(sys.stdin)
for service, operation, parameters in given["calls"]:
    client = boto3.client(service, **given["connection"])
    if client.can_paginate(operation):
        print(json.dumps(client.get_paginator(operation).paginate(**parameters).build_full_result(), default=str))
    else:
        print(json.dumps(getattr(client, operation)(**parameters), default=str))
"""


@dataclass(frozen=True)
class Aws:
    """AWS's own client, as anybody."""

    url: str

    def __call__(self, *calls: tuple[str, str, Row]) -> list[Any]:
        """What calls answer, each a service, an operation and its parameters; lists with all their pages."""
        anybody = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
        given = json.dumps({"calls": calls, "connection": {"endpoint_url": self.url, "region_name": REGION, **anybody}})
        self._check_from(inf)
        done = subprocess.run(
            [programs() / "python", "-c", CALLS], check=False, capture_output=True, text=True, input=given
        )
        self._check_from(0)
        assert done.returncode == 0, done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _check_from(self, count: float) -> None:
        """Have signatures checked from a number of requests on."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=str(count), timeout=10).raise_for_status()


@dataclass(frozen=True)
class Zones:
    """Route 53's hosted zones."""

    aws: Aws

    def add(self, rows: list[Row]) -> None:
        """Create zones."""
        self._all("create_hosted_zone", [{**row, "CallerReference": row["Name"]} for row in rows])

    def rows(self) -> list[Row]:
        """Return all zones."""
        [found] = self._all("list_hosted_zones", [{}])
        zones: list[Row] = found["HostedZones"]
        return zones

    def change(self, row: Row, fields: Row) -> None:
        """Change the comment, which alone can be changed."""
        self._all("update_hosted_zone_comment", [{"Id": row["Id"], **fields}])

    def remove(self, row: Row) -> None:
        """Delete a zone."""
        self._all("delete_hosted_zone", [{"Id": row["Id"]}])

    def _all(self, operation: str, parameters: Sequence[Row]) -> list[Any]:
        return self.aws(*(("route53", operation, given) for given in parameters))


@dataclass(frozen=True)
class Items:
    """A table of DynamoDB: rows are items with their values' types, ``{"email": {"S": "ada@example.org"}}``."""

    aws: Aws
    name: str = "people"

    def add(self, rows: list[Row]) -> None:
        """Create items."""
        self._all("put_item", [{"Item": row} for row in rows])

    def rows(self) -> list[Row]:
        """Return all items."""
        [found] = self._all("scan", [{}])
        items: list[Row] = found["Items"]
        return items

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of an item."""
        self._all("put_item", [{"Item": {**row, **fields}}])

    def remove(self, row: Row) -> None:
        """Delete an item."""
        self._all("delete_item", [{"Key": {"email": row["email"]}}])

    def _all(self, operation: str, parameters: Sequence[Row]) -> list[Any]:
        return self.aws(*(("dynamodb", operation, {"TableName": self.name, **given}) for given in parameters))


def start_route53(folder: Path) -> Served:
    """Start it without a zone. Raises `CannotInstallError` or `DidNotStartError`."""
    return _start(folder, Zones)


def start_dynamodb(folder: Path) -> Served:
    """Start it with an empty table. Raises `CannotInstallError` or `DidNotStartError`."""

    def table(aws: Aws) -> Items:
        key = {"AttributeName": "email"}
        aws(
            (
                "dynamodb",
                "create_table",
                {
                    "TableName": "people",
                    "KeySchema": [{**key, "KeyType": "HASH"}],
                    "AttributeDefinitions": [{**key, "AttributeType": "S"}],
                    "BillingMode": "PAY_PER_REQUEST",
                },
            )
        )
        return Items(aws)

    return _start(folder, table)


def _start(folder: Path, table: Callable[[Aws], Zones | Items]) -> Served:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [programs() / "moto_server", "--host", LOOPBACK, "--port", str(port)]
    server = start(command, ready=f"{url}/moto-api/", folder=folder)
    user = {"UserName": "ada"}
    policy = {**user, "PolicyName": "all", "PolicyDocument": json.dumps(POLICY)}
    calls = ("iam", "create_user", user), ("iam", "put_user_policy", policy), ("iam", "create_access_key", user)
    aws = Aws(url)
    key = aws(*calls)[-1]["AccessKey"]
    names = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    return Served({"base_url": url, "region": REGION, **names}, table(aws), server)
