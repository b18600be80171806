"""Expands a packaged template as CloudFormation does it, by the translator that AWS publishes, and prints the result in JSON.

usage: expand.py PACKAGED, what `sam package` has written; by the Python of the SAM CLI. The environment: AWS_DEFAULT_REGION.

fakecloud's own expansion loses what stands in `Globals`: the permissions boundary and tracing. Of the genuine one it
understands neither the address of a function in the API's definition nor the route `$default` there. Both are put as it
understands them; nothing else is changed.
"""

import json
import re
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def expanded(template):
    # CloudFormation looks up the ARNs of AWS's own policies, which are the same everywhere but in China and GovCloud.
    parameters = {name: it["Default"] for name, it in template["Parameters"].items() if "Default" in it}
    return Translator({}, Parser()).translate(template, parameters)


def function_in(integration):
    """The logical id of the function that an integration's address names."""
    return re.search(r"functions/\$\{(\w+)\.Arn\}/invocations", integration["uri"]["Fn::Sub"]).group(1)


def mend(resources):
    """Puts the API as fakecloud understands it."""
    paths = resources["Api"]["Properties"]["Body"]["paths"]
    default = paths.pop("$default")["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
    for path in paths.values():
        for operation in path.values():
            integration = operation["x-amazon-apigateway-integration"]
            integration["uri"] = {"Fn::GetAtt": [function_in(integration), "Arn"]}
    resources["DefaultIntegration"] = {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::GetAtt": [function_in(default), "Arn"]},
            "PayloadFormatVersion": default["payloadFormatVersion"],
        },
    }
    resources["DefaultRoute"] = {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": "Api"},
            "RouteKey": "$default",
            "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "DefaultIntegration"}]]},
        },
    }


with open(sys.argv[1]) as file:
    it = expanded(yaml_parse(file.read()))
mend(it["Resources"])
json.dump(it, sys.stdout)
