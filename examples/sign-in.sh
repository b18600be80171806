#!/bin/sh
# Signs a customer in with curl. The environment: API, MAILBOX, SUPERKEY, SUPERTOKEN.
set -eu
email="curl+$$@example.com"
path=$(printf %s "$email" | sed 's/+/%2B/; s/@/%40/')

app() { curl -sS --fail-with-body -H "x-access-superkey: $SUPERKEY" -H "x-access-supertoken: $SUPERTOKEN" "$@"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

app "$API/customer" -d "{\"company\": \"Curl Ltd\", \"email\": \"$email\"}" > /dev/null
app "$API/customer/$path/passcode" > /dev/null

# A person reads the mail; here the local mailbox is asked for it.
code=$(curl -sS "$MAILBOX/messages?to=$path" | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1)

# The passcode goes into a header, as credentials do: query strings end up in logs.
pair=$(app -H "x-access-passcode: $code" "$API/customer/$path/auth")
cuid=$(printf %s "$pair" | field cuid)
key=$(printf %s "$pair" | field key)
token=$(printf %s "$pair" | field token)

curl -sS --fail-with-body -H "x-access-key: $key" -H "x-access-token: $token" "$API/customer/$cuid"
echo
