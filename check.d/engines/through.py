"""Calls the API through an engine: the whole story, then what engines do differently (docs/fidelity.md).

usage: through.py ENGINE, one of `local`, `sam`, `cargo-lambda`, `fakecloud`. The environment: API, MAILBOX, SUPERKEY,
SUPERTOKEN, PLATFORMKEY, PLATFORMTOKEN; HOST where another name than API's is to be sent.
"""

import http.client
import json
import os
import re
import secrets
import socket
import sys
import time
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import urlopen

ENGINE = sys.argv[1]
API = urlsplit(os.environ["API"])
APP = {"x-access-superkey": os.environ["SUPERKEY"], "x-access-supertoken": os.environ["SUPERTOKEN"]}
PLATFORM = {
    "x-access-platformkey": os.environ["PLATFORMKEY"],
    "x-access-platformtoken": os.environ["PLATFORMTOKEN"],
}


def call(method, path, headers=(), body=None, hosts=1):
    """Sends exactly this; returns the status, the headers, and the body, taken for JSON where it is some."""
    connection = http.client.HTTPConnection(API.hostname, API.port, timeout=60)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for _ in range(hosts):
        connection.putheader("host", os.environ.get("HOST", API.netloc))
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        connection.putheader(name, value)
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", str(len(body)))
    try:
        connection.endheaders(body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # It has answered before it had read everything.
    try:
        reply = connection.getresponse()
    except TimeoutError:
        return 0, {}, {"code": "no answer"}
    text = reply.read()
    try:
        return reply.status, reply.headers, json.loads(text)
    except ValueError:
        return reply.status, reply.headers, text


def call_raw(text):
    """Sends exactly these bytes and no more; returns what `call` does."""
    with socket.create_connection((API.hostname, API.port), timeout=10) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        reply = http.client.HTTPResponse(connection)
        try:
            reply.begin()
            text = reply.read()
        except TimeoutError:
            return 0, {}, {"code": "no answer"}
        except ConnectionError:
            return 0, {}, {"code": "closed"}
        except http.client.BadStatusLine:
            return 0, {}, {"code": "no HTTP/1.1"}
    try:
        return reply.status, reply.headers, json.loads(text)
    except ValueError:
        return reply.status, reply.headers, text


def expect(status, answered):
    assert answered[0] == status, f"{answered[0]} instead of {status}: {answered[2]}"
    return answered[2]


def passcode_for(address):
    """The code in the newest mail to the address."""
    for _ in range(50):
        if ENGINE == "fakecloud":
            mails = [mail for mail in json.load(urlopen(os.environ["MAILBOX"]))["emails"] if address in mail["to"]]
            texts = [mail["textBody"] for mail in reversed(mails)]
        else:
            mails = json.load(urlopen(f"{os.environ['MAILBOX']}/messages?to={quote(address)}"))
            texts = [mail["text"] for mail in mails]
        if texts:
            return re.search(r"\b\d{4} \d{4}\b", texts[0]).group().replace(" ", "")
        time.sleep(0.2)
    raise AssertionError("no mail came")


def story():
    """From a new customer to the platform. Returns the customer's cuid and pair."""
    address = f"ada{secrets.token_hex(8)}@example.com"
    # `@` may stand in a path as it is; two engines hand on what is encoded as it came.
    path = f"/customer/{address}"
    customer = {"company": "Analytical Engines", "email": address}
    created = expect(201, call("POST", "/customer", APP, customer))
    assert expect(409, call("POST", "/customer", APP, customer))["code"] == "customer_exists"
    assert address in expect(200, call("GET", f"{path}/passcode", APP))["message"]
    code = passcode_for(address)
    wrong = f"{(int(code) + 1) % 100_000_000:08}"
    assert expect(401, call("GET", f"{path}/auth?passcode={wrong}", APP))["code"] == "invalid_passcode"
    pair = expect(200, call("GET", f"{path}/auth?passcode={code[:4]}%20{code[4:]}", APP))
    assert pair["cuid"] == created["cuid"]
    assert expect(401, call("GET", f"{path}/auth?passcode={code}", APP))["code"] == "invalid_passcode"
    as_customer = {"x-access-key": pair["key"], "x-access-token": pair["token"]}
    own = f"/customer/{pair['cuid']}"
    assert expect(200, call("GET", own, as_customer))["company"] == "Analytical Engines"
    assert pair["cuid"] in [record["cuid"] for record in expect(200, call("GET", "/customer", APP))]
    expect(200, call("GET", f"{own}/auth", APP))
    expect(200, call("GET", f"{path}/auth/nopasscode", APP))
    status, headers, _ = call("GET", f"{path}/sso?return_to=/campaigns", APP)
    assert status == 302, status
    ticket = parse_qs(urlsplit(headers["location"]).query)["ticket"][0]
    redeemed = expect(200, call("POST", "/sso/redeem", PLATFORM, {"ticket": ticket}))
    assert redeemed["cuid"] == pair["cuid"] and redeemed["email"] == address
    expect(401, call("POST", "/sso/redeem", PLATFORM, {"ticket": ticket}))
    expect(403, call("GET", own, {"x-access-key": pair["key"]}))
    return pair["cuid"], as_customer


def said(answered):
    """An answer in short: its status, and its code or its message."""
    status, _, body = answered
    if isinstance(body, dict):
        return f"{status} {body.get('code') or body.get('message') or ('ok' if status < 400 else 'of another shape')}"
    return f"{status} {'list' if isinstance(body, list) else 'empty' if not body else 'page'}"


NO_ROUTE = "404 of another shape"


def edges(cuid, as_customer):
    """What is asked, how `local` answers as API Gateway would, and how others do that answer otherwise."""
    encoded = f"/customer/%{ord(cuid[0]):02X}{cuid[1:]}"
    twice = [*as_customer.items(), ("X-Access-Key", as_customer["x-access-key"])]
    shouting = {name.upper(): value for name, value in as_customer.items()}
    unsent = {"company": "No", "email": "nobody"}
    key, token = as_customer.values()
    browser = {"accept": "text/html"}
    host = os.environ.get("HOST", API.netloc)
    credentials = "".join(f"{name}: {value}\r\n" for name, value in APP.items())
    broken_off = f"POST /customer HTTP/1.1\r\nHost: {host}\r\n{credentials}Content-Length: 100\r\n\r\n{{"
    return [
        ("names of headers in capitals", ("GET", f"/customer/{cuid}", shouting), "200 ok", {}),
        ("an identifier percent-encoded", ("GET", encoded, as_customer), "200 ok", {"cargo-lambda": "404 no_matching_key", "fakecloud": "404 no_matching_key"}),
        ("%2F in an identifier", ("GET", "/customer/a%2Fb", APP), "404 user_not_found", {"sam": "404 route_not_found"}),
        ("a header twice", ("GET", f"/customer/{cuid}", twice), "400 repeated_credential", {"cargo-lambda": "200 ok", "fakecloud": "200 ok"}),
        ("a parameter twice", ("GET", f"/customer/{cuid}?key={key}&token={token}&key={key}"), "400 repeated_credential", {}),
        ("a slash after the list", ("GET", "/customer/", APP), "200 list", {}),
        ("a slash after another route", ("POST", "/customer/", APP, unsent), "404 route_not_found", {"sam": "400 invalid_request", "cargo-lambda": NO_ROUTE, "fakecloud": "400 invalid_request"}),
        ("no such route", ("GET", "/nowhere", APP), "404 route_not_found", {"cargo-lambda": NO_ROUTE}),
        ("no such method", ("DELETE", "/sso/redeem", APP), "404 route_not_found", {"cargo-lambda": NO_ROUTE}),
        ("HEAD", ("HEAD", f"/customer/{cuid}", as_customer), "404 empty", {"sam": "502 empty"}),
        ("OPTIONS", ("OPTIONS", "/customer", APP), "404 route_not_found", {"cargo-lambda": NO_ROUTE}),
        ("the root", ("GET", "/"), "404 route_not_found", {"cargo-lambda": NO_ROUTE}),
        ("the root, for a browser", ("GET", "/", browser), "200 page", {"sam": "404 route_not_found", "cargo-lambda": NO_ROUTE, "fakecloud": "404 route_not_found"}),
        ("the inspector", ("GET", "/inspector/"), "200 page", {"sam": "404 route_not_found", "cargo-lambda": NO_ROUTE, "fakecloud": "404 route_not_found"}),
        ("the reference's page", ("GET", "/docs/"), "200 page", {"sam": "404 route_not_found", "cargo-lambda": NO_ROUTE, "fakecloud": "404 route_not_found"}),
        ("a body that is no UTF-8", ("POST", "/customer", APP, b"\xff\xfe"), "400 invalid_request", {"sam": "502 Internal server error", "cargo-lambda": "500 of another shape"}),
        ("a body of 5 MB", ("POST", "/customer", APP, b" " * 5_000_000), "413 body_too_large", {}),
        ("a body of 7 MB", ("POST", "/customer", APP, b" " * 7_000_000), "413 Request Entity Too Large", {"sam": "500 Internal server error", "cargo-lambda": "413 body_too_large", "fakecloud": "502 Internal server error"}),
        ("no Host", ("GET", "/customer", APP, None, 0), "400 Bad Request", {"sam": "200 list", "cargo-lambda": "200 list", "fakecloud": "404 Stage not found: customer"}),
        ("two Hosts", ("GET", "/customer", APP, None, 2), "400 Bad Request", {"sam": "200 list", "cargo-lambda": "200 list", "fakecloud": "200 list"}),
        ("a body that breaks off", (broken_off,), "400 Bad Request", {"sam": "400 page", "cargo-lambda": "500 of another shape", "fakecloud": "413 page"}),
        ("HTTP/2 at once", ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",), "0 closed", {"sam": "0 no HTTP/1.1", "cargo-lambda": "0 no HTTP/1.1", "fakecloud": "0 no HTTP/1.1"}),
        ("11 KB of headers", ("GET", "/customer", {**APP, "x-fill": "x" * 11_000}), "431 Request Header Fields Too Large", {"sam": "200 list", "cargo-lambda": "200 list", "fakecloud": "200 list"}),
    ]


def main():
    who = story()
    print("story: ok")
    wrong = 0
    for name, request, as_gateway, otherwise in edges(*who):
        expected, answered = otherwise.get(ENGINE, as_gateway), said(call_raw(*request) if len(request) == 1 else call(*request))
        differs = answered != expected
        wrong += differs
        print(f"{name}: {answered}" + (f" INSTEAD OF {expected}" if differs else ""))
    return wrong


sys.exit(main() > 0)
