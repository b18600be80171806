"""Signs a customer in with Python. The environment: API, MAILBOX, SUPERKEY, SUPERTOKEN."""

import json
import os
import re
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

API, MAILBOX = os.environ["API"], os.environ["MAILBOX"]
AS_APP = {"x-access-superkey": os.environ["SUPERKEY"], "x-access-supertoken": os.environ["SUPERTOKEN"]}


class ApiError(Exception):
    """An error of the API, told apart by its stable `code`."""

    def __init__(self, answer):
        super().__init__(answer["message"])
        self.code = answer.get("code")


def call(path, headers, body=None):
    request = Request(API + path, headers=headers, data=body and json.dumps(body).encode())
    try:
        with urlopen(request) as reply:
            return json.load(reply)
    except HTTPError as error:
        raise ApiError(json.load(error)) from None


email = f"python+{os.getpid()}@example.com"
path = f"/customer/{quote(email, safe='')}"

try:
    call("/customer", AS_APP, {"company": "Python Ltd", "email": email})
except ApiError as error:
    # A customer who exists already is as good as a new one. Neither reply shows who typed the address: the passcode
    # does. So the pair of the first is for a server alone, and nobody is signed in by the `cuid` of the second.
    if error.code != "customer_exists":
        raise
call(f"{path}/passcode", AS_APP)

# A person reads the mail; here the local mailbox is asked for it.
with urlopen(f"{MAILBOX}/messages?to={quote(email)}") as mails:
    passcode = re.search(r"\d{4} \d{4}", json.load(mails)[0]["text"]).group()

pair = call(f"{path}/auth", {**AS_APP, "x-access-passcode": passcode})
print(call(f"/customer/{pair['cuid']}", {"x-access-key": pair["key"], "x-access-token": pair["token"]}))
