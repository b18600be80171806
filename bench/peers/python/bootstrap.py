"""What Lambda's own runtime does for a handler, and less of it: asks for work and answers."""

import http.client
import json
import os

from handler import handler

PATH = "/2018-06-01/runtime/invocation/"


def work():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", PATH + "next")
        response = connection.getresponse()
        body, request_id = response.read(), response.headers["Lambda-Runtime-Aws-Request-Id"]
        answer = json.dumps(handler(json.loads(body))).encode()
        connection.request("POST", f"{PATH}{request_id}/response", answer)
        connection.getresponse().read()


work()
