#!/bin/sh
# Signs a customer in with curl. The environment: API, MAILBOX, SUPERKEY, SUPERTOKEN.
set -eu
email="curl+$$@example.com"
path=$(printf %s "$email" | sed 's/+/%2B/; s/@/%40/')

# Keeps the reply, and fails where it is an error.
call() { reply=$(curl -sS --fail-with-body "$@"); }
app() { call -H "x-access-superkey: $SUPERKEY" -H "x-access-supertoken: $SUPERTOKEN" "$@"; }
refused() { printf 'Refused: %s\n' "$reply" >&2; exit 1; }
field() { printf %s "$reply" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# A customer who exists already is as good as a new one. Neither reply shows who typed the address: the passcode does. So
# the pair of the first is for a server alone, and nobody is signed in by the `cuid` of the second.
app "$API/customer" -d "{\"company\": \"Curl Ltd\", \"email\": \"$email\"}" || [ "$(field code)" = customer_exists ] || refused
app "$API/customer/$path/passcode" || refused

# A person reads the mail; here the local mailbox is asked for it.
call "$MAILBOX/messages?to=$path" || refused
code=$(printf %s "$reply" | grep -oE '[0-9]{4} [0-9]{4}' | head -n 1)

# The passcode goes into a header, as credentials do: query strings end up in logs.
app -H "x-access-passcode: $code" "$API/customer/$path/auth" || refused
cuid=$(field cuid) key=$(field key) token=$(field token)

call -H "x-access-key: $key" -H "x-access-token: $token" "$API/customer/$cuid" || refused
printf '%s\n' "$reply"
