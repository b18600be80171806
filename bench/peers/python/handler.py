"""get-customer for an App, with boto3."""

import hashlib
import hmac
import json
import os
from datetime import datetime, timezone

import boto3

# Outside the handler, so that the connection and the client outlive the request.
client = boto3.client("dynamodb")
APPS_TABLE = os.environ["APPS_TABLE"]
CUSTOMERS_TABLE = os.environ["CUSTOMERS_TABLE"]
FIELDS = ["cuid", "email", "company", "name", "address", "country", "city", "zip", "state", "phone", "website"]


def reply(status, body):
    headers = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def handler(event):
    key = event["headers"].get("x-access-superkey")
    token = event["headers"].get("x-access-supertoken")
    if not key:
        return reply(403, {"message": "Missing key"})
    if not token:
        return reply(403, {"message": "Missing token"})
    cuid = event["pathParameters"]["identifier"]
    found = client.batch_get_item(
        RequestItems={
            APPS_TABLE: {"Keys": [{"key": {"S": key}}], "ConsistentRead": True},
            CUSTOMERS_TABLE: {"Keys": [{"cuid": {"S": cuid}}], "ConsistentRead": True},
        }
    )["Responses"]
    app = next(iter(found[APPS_TABLE]), None)
    customer = next(iter(found[CUSTOMERS_TABLE]), None)
    if not app:
        return reply(404, {"message": "No matching key"})
    if not hmac.compare_digest(hashlib.sha256(token.encode()).digest(), app["token_hash"]["B"]):
        return reply(403, {"message": "Invalid token"})
    if not customer or customer["app"]["S"] != key:
        return reply(404, {"message": "User not found."})
    body = {name: customer[name]["S"] for name in FIELDS if name in customer}
    created_at = datetime.fromtimestamp(int(customer["created_at"]["N"]) / 1000, timezone.utc)
    return reply(200, {**body, "created_at": created_at.isoformat()})
