"""The patch of the CDN's reading of a bucket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

import pytest
import requests

from infra.local.aws import ACCOUNT, Endpoint

PICTURE = b"a picture"
READ = ("s3:GetObject",)
READ_AND_LIST = ("s3:GetObject", "s3:ListBucket")


def distribution_over(endpoint: Endpoint, bucket: str) -> str:
    """A distribution before the bucket, with nothing said yet of what it may do; returns its id."""
    cloudfront = endpoint.client("cloudfront")
    control = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": uuid4().hex,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]
    origin = {
        "Id": "outputs",
        "DomainName": f"{bucket}.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }
    behavior = {
        "TargetOriginId": "outputs",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    created = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": uuid4().hex,
            "Comment": "",
            "Enabled": True,
            "DefaultRootObject": "nothing-here",
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
        }
    )
    return str(created["Distribution"]["Id"])


def permit(endpoint: Endpoint, bucket: str, distribution: str, actions: Sequence[str]) -> None:
    """Let the distribution do this with the bucket and its objects."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": list(actions),
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {
            "StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{distribution}"}
        },
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    endpoint.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


@pytest.fixture
def bucket(endpoint: Endpoint) -> str:
    """A bucket with a picture in it."""
    s3, name = endpoint.client("s3"), f"outputs-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="images/x/0.png", Body=PICTURE, ContentType="image/png")
    return name


def fetch(endpoint: Endpoint, distribution: str, path: str, method: str = "GET") -> requests.Response:
    """What the distribution answers."""
    domain = endpoint.client("cloudfront").get_distribution(Id=distribution)["Distribution"]["DomainName"]
    host = f"{domain.partition('.')[0]}.cloudfront.localhost"
    return requests.request(method, f"{endpoint.url}{path}", headers={"Host": host}, timeout=10)


@pytest.mark.parametrize("actions", [READ, READ_AND_LIST], ids=["read", "read and list"])
def test_an_object_is_served(endpoint: Endpoint, bucket: str, actions: Sequence[str]) -> None:
    distribution = distribution_over(endpoint, bucket)
    permit(endpoint, bucket, distribution, actions)

    answer = fetch(endpoint, distribution, "/images/x/0.png")

    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("actions", "status"), [(READ, 403), (READ_AND_LIST, 404)])
def test_a_missing_object_is_not_found_for_who_may_list(
    endpoint: Endpoint, bucket: str, actions: Sequence[str], status: int, method: str
) -> None:
    distribution = distribution_over(endpoint, bucket)
    permit(endpoint, bucket, distribution, actions)

    assert fetch(endpoint, distribution, "/images/x/1.png", method).status_code == status


def test_a_deleted_object_is_not_found(endpoint: Endpoint, bucket: str) -> None:
    distribution = distribution_over(endpoint, bucket)
    permit(endpoint, bucket, distribution, READ_AND_LIST)
    endpoint.client("s3").delete_object(Bucket=bucket, Key="images/x/0.png")

    assert fetch(endpoint, distribution, "/images/x/0.png").status_code == 404


@pytest.mark.parametrize("path", ["/", "/?list-type=2", "/images/"])
def test_nothing_is_listed_to_anybody(endpoint: Endpoint, bucket: str, path: str) -> None:
    distribution = distribution_over(endpoint, bucket)
    permit(endpoint, bucket, distribution, READ_AND_LIST)

    answer = fetch(endpoint, distribution, path)

    assert answer.status_code == 404
    assert "images/x/0.png" not in answer.text


@pytest.mark.parametrize("path", ["/images/x/0.png", "/images/x/1.png"])
def test_a_distribution_that_is_not_let_in_learns_nothing(endpoint: Endpoint, bucket: str, path: str) -> None:
    permit(endpoint, bucket, distribution_over(endpoint, bucket), READ_AND_LIST)
    another = distribution_over(endpoint, bucket)

    assert fetch(endpoint, another, path).status_code == 403
