"""moto (https://github.com/getmoto/moto), which answers as AWS does and checks its signatures (SigV4).

Three services of it: the parameters of Systems Manager, in JSON; IAM's users, asked for in forms and told of in XML; and S3's
buckets, in XML both ways. What is asked here, not through a description, moto is told not to check.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import requests

from tests.real.served import ERROR, Row, Served, Table
from tests.real.served.python import programs
from tests.real.servers import LOOPBACK, free_port, start

REGION = "eu-central-1"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True)
class Moto:
    """A running moto, asked by anybody."""

    url: str

    def ask(self, service: str, method: str = "POST", path: str = "/", **options: Any) -> bytes:
        """What one successful call of a service answers."""
        scope = f"anybody/20260101/{REGION}/{service}/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}
        self._check_after(inf)
        answer = requests.request(
            method, self.url + path, headers=headers | options.pop("headers", {}), timeout=60, **options
        )
        self._check_after(0)
        assert answer.status_code < ERROR, answer.text
        return answer.content

    def iam(self, action: str, **parameters: str) -> ET.Element:
        """What one successful call of IAM answers."""
        return _plain(self.ask("iam", data={"Action": action, "Version": "2010-05-08", **parameters}))

    def _check_after(self, count: float) -> None:
        """Have signatures checked when so many requests were made."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=str(count), timeout=10).raise_for_status()


@dataclass(frozen=True)
class Parameters:
    """Systems Manager's parameters."""

    moto: Moto

    def add(self, rows: list[Row]) -> None:
        """Create parameters."""
        for row in rows:
            self._ask("PutParameter", {"Type": "String", **row})

    def rows(self) -> list[Row]:
        """Return all parameters."""
        found: list[Row] = []
        more: Row = {}
        while True:
            page = self._ask("GetParametersByPath", {"Path": "/", "Recursive": True, **more})
            found += page["Parameters"]
            if "NextToken" not in page:
                return found
            more = {"NextToken": page["NextToken"]}

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a parameter."""
        self._ask("PutParameter", {"Name": row["Name"], "Overwrite": True, **fields})

    def remove(self, row: Row) -> None:
        """Delete a parameter."""
        self._ask("DeleteParameter", {"Name": row["Name"]})

    def _ask(self, action: str, body: Row) -> Any:
        headers = {"X-Amz-Target": f"AmazonSSM.{action}", "Content-Type": "application/x-amz-json-1.1"}
        return json.loads(self.moto.ask("ssm", data=json.dumps(body), headers=headers))


@dataclass(frozen=True)
class Users:
    """IAM's users; one is there whose key is used."""

    moto: Moto

    def add(self, rows: list[Row]) -> None:
        """Create users."""
        for row in rows:
            self.moto.iam("CreateUser", **row)

    def rows(self) -> list[Row]:
        """Return all users."""
        return [_texts(user) for user in self.moto.iam("ListUsers").iter("member")]

    def change(self, row: Row, fields: Row) -> None:
        """Change the path, which alone with the name can be changed."""
        self.moto.iam("UpdateUser", UserName=row["UserName"], NewPath=fields["Path"])

    def remove(self, row: Row) -> None:
        """Delete a user."""
        self.moto.iam("DeleteUser", UserName=row["UserName"])


@dataclass(frozen=True)
class Buckets:
    """S3's buckets."""

    moto: Moto

    def add(self, rows: list[Row]) -> None:
        """Create buckets."""
        place = (
            f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        )
        for row in rows:
            self.moto.ask("s3", "PUT", f"/{row['Name']}", data=place)

    def rows(self) -> list[Row]:
        """Return all buckets."""
        return [_texts(bucket) for bucket in _plain(self.moto.ask("s3", "GET")).iter("Bucket")]

    def change(self, row: Row, fields: Row) -> None:
        """Do nothing: a bucket has nothing that can be changed."""

    def remove(self, row: Row) -> None:
        """Delete a bucket."""
        self.moto.ask("s3", "DELETE", f"/{row['Name']}")


def start_parameters(folder: Path) -> Served:
    """Start it without a parameter. Raises `CannotInstallError` or `DidNotStartError`."""
    return _start(folder, Parameters)


def start_users(folder: Path) -> Served:
    """Start it with no user but the one whose key is used. Raises `CannotInstallError` or `DidNotStartError`."""
    return _start(folder, Users)


def start_buckets(folder: Path) -> Served:
    """Start it without a bucket. Raises `CannotInstallError` or `DidNotStartError`."""
    return _start(folder, Buckets)


def _start(folder: Path, table: Callable[[Moto], Table]) -> Served:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [programs() / "moto_server", "--host", LOOPBACK, "--port", str(port)]
    server = start(command, ready=f"{url}/moto-api/", folder=folder)
    moto = Moto(url)
    moto.iam("CreateUser", UserName="ada")
    moto.iam("PutUserPolicy", UserName="ada", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    key = _texts(next(moto.iam("CreateAccessKey", UserName="ada").iter("AccessKey")))
    config = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    return Served({"base_url": url, "region": REGION, **config}, table(moto), server)


def _plain(body: bytes) -> ET.Element:
    """The root of an XML document, with all names without their namespaces."""
    root = ET.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _texts(element: ET.Element) -> Row:
    return {child.tag: child.text for child in element}
