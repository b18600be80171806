"""The whole story with the client that openapi-python-client generates; see ../README.md."""

import os
import re
import uuid
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from atom_customers_client import AuthenticatedClient
from atom_customers_client.api.customers import change_customer, create_customer, get_customer, list_customers
from atom_customers_client.api.sign_in import (
    authenticate,
    authenticate_without_passcode,
    revoke_credentials,
    send_passcode,
)
from atom_customers_client.api.single_sign_on import redeem_ticket, start_sso
from atom_customers_client.models import (
    ApiError,
    Customer,
    CustomerChange,
    CustomerDetails,
    Identity,
    IssuedPair,
    PasscodeSent,
    TicketRedemption,
)
from atom_customers_client.types import UNSET, Response

Body = TypeVar("Body")


def caller(key: str, token: str, prefix: str = "") -> AuthenticatedClient:
    """A caller of one level. The client does not follow redirects by itself: the SSO's is for the customer's browser."""
    headers = {f"x-access-{prefix}key": key}
    return AuthenticatedClient(
        os.environ["API"], headers=headers, token=token, prefix="", auth_header_name=f"x-access-{prefix}token"
    )


def ok(response: Response[Body | ApiError]) -> Body:
    assert response.parsed is not None and not isinstance(response.parsed, ApiError), response
    return response.parsed


def refused(response: Response[Body | ApiError], status: HTTPStatus, code: str) -> ApiError:
    assert isinstance(response.parsed, ApiError), response
    assert (response.status_code, response.parsed.code) == (status, code), response
    return response.parsed


app = caller(os.environ["SUPERKEY"], os.environ["SUPERTOKEN"], "super")
platform = caller(os.environ["PLATFORMKEY"], os.environ["PLATFORMTOKEN"], "platform")
email = f"generated+python{os.getpid()}@example.com"
jane = CustomerDetails(company="Generated Ltd", email=email, name="Jané Doe", zip_="EC1A 1AA")

# Created once; the pair is for the server. The 409 says who has the address, and nothing about who typed it.
# A reply that is lost is asked for again with the same Idempotency-Key.
once = str(uuid.uuid4())
lost: IssuedPair = ok(create_customer.sync_detailed(client=app, body=jane, idempotency_key=once))
replayed = create_customer.sync_detailed(client=app, body=jane, idempotency_key=once)
created: IssuedPair = ok(replayed)
assert replayed.headers["idempotent-replayed"] == "true" and created.cuid == lost.cuid, replayed
again = refused(create_customer.sync_detailed(client=app, body=jane), HTTPStatus.CONFLICT, "customer_exists")
assert again.cuid == created.cuid
wrong = CustomerDetails(company="Generated Ltd", email="nobody")
invalid = refused(create_customer.sync_detailed(client=app, body=wrong), HTTPStatus.BAD_REQUEST, "invalid_request")
assert invalid.errors and [error.field for error in invalid.errors] == ["email"], invalid

# The passcode decides who signs in. A person reads the mail; here the local mailbox is asked for it.
sent: PasscodeSent = ok(send_passcode.sync_detailed(email, client=app))
assert email in sent.message
mails = httpx.get(f"{os.environ['MAILBOX']}/messages", params={"to": email}).json()
passcode = re.findall(r"\d{4} \d{4}", mails[0]["text"])[0]
guess = "0000 0000" if passcode != "0000 0000" else "1111 1111"
guessed = authenticate.sync_detailed(email, client=app, x_access_passcode=guess)
refused(guessed, HTTPStatus.UNAUTHORIZED, "invalid_passcode")
pair: IssuedPair = ok(authenticate.sync_detailed(email, client=app, x_access_passcode=passcode))
assert pair.cuid == created.cuid and pair.expires_at > datetime.now(timezone.utc)

# With that pair the customer reads its own record, and no other.
customer = caller(pair.key, pair.token)
record: Customer = ok(get_customer.sync_detailed(pair.cuid, client=customer))
assert (record.email, record.name, record.zip_, record.city) == (email, "Jané Doe", "EC1A 1AA", UNSET), record
assert record.email_verified
changed = change_customer.sync_detailed(pair.cuid, client=customer, body=CustomerChange(city="London", zip_=None))
record = ok(changed)
assert (record.city, record.zip_, record.name) == ("London", UNSET, "Jané Doe"), record
other = "0" * 22
refused(get_customer.sync_detailed(other, client=customer), HTTPStatus.NOT_FOUND, "no_matching_key")

# One by its address; all of them page by page.
assert [found.cuid for found in ok(list_customers.sync_detailed(client=app, email=email))] == [pair.cuid]
more = CustomerDetails(company="Müller GmbH", email=f"more-{email}")
expected = {pair.cuid, ok(create_customer.sync_detailed(client=app, body=more)).cuid}
seen: list[str] = []
cursor: str | None = None
while True:
    page = list_customers.sync_detailed(client=app, limit=1, cursor=cursor or UNSET)
    seen += [customer.cuid for customer in ok(page)]
    following = re.match(r"<(.*)>; rel=\"next\"", page.headers.get("link", ""))
    if not following:
        break
    cursor = parse_qs(urlsplit(following[1]).query)["cursor"][0]
assert expected <= set(seen) and len(seen) == len(set(seen)), seen

# An App that vouches for its customers needs no passcode. A second pair leaves the first good.
vouched: IssuedPair = ok(authenticate_without_passcode.sync_detailed(email, client=app))
assert vouched.cuid == pair.cuid and vouched.key != pair.key

# To the platform: the server takes the address out of the redirect, the browser goes there, the platform redeems.
redirect = start_sso.sync_detailed(email, client=app, return_to="/campaigns?tab=spend", state="4b1f9c2e7a")
assert redirect.status_code == HTTPStatus.FOUND, redirect
location = parse_qs(urlsplit(redirect.headers["location"]).query)
# What is bound to the ticket stands where nobody on the way can change it.
assert list(location) == ["ticket"], location
ticket = TicketRedemption(location["ticket"][0])
identity: Identity = ok(redeem_ticket.sync_detailed(client=platform, body=ticket))
assert (identity.cuid, identity.email, identity.name) == (pair.cuid, email, "Jané Doe"), identity
assert (identity.return_to, identity.state) == ("/campaigns?tab=spend", "4b1f9c2e7a"), identity
refused(redeem_ticket.sync_detailed(client=platform, body=ticket), HTTPStatus.UNAUTHORIZED, "invalid_ticket")

# The customer signs out, and that pair alone is no longer good.
signed_out = revoke_credentials.sync_detailed(pair.cuid, client=customer)
assert signed_out.status_code == HTTPStatus.NO_CONTENT, signed_out
refused(get_customer.sync_detailed(pair.cuid, client=customer), HTTPStatus.FORBIDDEN, "invalid_token")
assert ok(get_customer.sync_detailed(pair.cuid, client=caller(vouched.key, vouched.token))).cuid == pair.cuid

refused(list_customers.sync_detailed(client=caller("", "")), HTTPStatus.FORBIDDEN, "missing_key")
print(record.to_dict())
