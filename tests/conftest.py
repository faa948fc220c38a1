"""Fixtures that several test files share: a real S3 server, and a fresh bucket on it."""

import os
import uuid

import boto3
import pytest
import s3


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """The endpoint of a real S3 server; AWS_* is set for this process and its children while it runs."""
    before = dict(os.environ)
    with s3.serve(tmp_path_factory.mktemp("s3")) as port:
        os.environ.update(s3.environment(port))
        yield os.environ["AWS_ENDPOINT_URL_S3"]
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def s3_bucket(s3_server):
    """The name of a fresh, empty bucket."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    boto3.client("s3", endpoint_url=s3_server).create_bucket(Bucket=name)
    return name
