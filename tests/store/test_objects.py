"""The bank's files, once over a directory and once over an S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tangguh.core.errors import Misconfigured, StoreUnavailable
from tangguh.db.objects import Objects, ObjectSettings


@pytest.fixture(scope="module")
def bucket() -> Iterator[ObjectSettings]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="bank")
    client.close()
    yield ObjectSettings(
        url="s3://bank/public",
        endpoint=endpoint,
        access_key_id="test",
        secret_access_key="test",
    )
    server.stop()


@pytest.fixture(params=["directory", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "bucket":
        return Objects(request.getfixturevalue("bucket"))
    return Objects(ObjectSettings(url=str(tmp_path / "objects")))


async def test_what_is_put_is_got_and_may_be_put_again(objects: Objects) -> None:
    await objects.put("a/page.html", b"one", "text/html; charset=utf-8")
    await objects.put("a/page.html", b"two", "text/html; charset=utf-8")
    assert await objects.get("a/page.html") == b"two"
    assert await objects.get("a/none.html") is None


async def test_what_is_kept_stays_as_it_was(objects: Objects) -> None:
    assert await objects.keep("evidence/1", b"first")
    assert not await objects.keep("evidence/1", b"second")
    assert await objects.get("evidence/1") == b"first"


async def test_a_store_that_is_away_is_said_to_be(bucket: ObjectSettings) -> None:
    nobody = ObjectSettings(
        url=bucket.url, endpoint="http://127.0.0.1:9", access_key_id="a", secret_access_key="b"
    )
    with pytest.raises(StoreUnavailable, match="object x"):
        await Objects(nobody).put("x", b"")


@pytest.mark.parametrize("url", ["ftp://there", "/proc/nowhere/at/all"])
def test_an_impossible_place_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        Objects(ObjectSettings(url=url))
