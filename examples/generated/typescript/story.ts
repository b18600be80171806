// The whole story with the types that openapi-typescript generates, and openapi-fetch; see ../README.md.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

function setting(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

/** A caller of one level. The SSO's redirect is for the customer's browser, so nothing is followed. */
function caller(headers: Record<string, string>) {
  return createClient<paths>({ baseUrl: setting("API"), headers, redirect: "manual" });
}

type Reply<Data> = { data?: Data; error?: Schemas["ApiError"]; response: Response };

function ok<Data>({ data, error, response }: Reply<Data>): Data {
  assert.ok(data !== undefined, `${response.status} ${JSON.stringify(error)}`);
  return data;
}

function refused<Data>({ data, error, response }: Reply<Data>, status: number, code: string): Schemas["ApiError"] {
  assert.ok(error, `${response.status} ${JSON.stringify(data)}`);
  assert.deepEqual([response.status, error.code], [status, code]);
  return error;
}

const app = caller({ "x-access-superkey": setting("SUPERKEY"), "x-access-supertoken": setting("SUPERTOKEN") });
const platform = caller({
  "x-access-platformkey": setting("PLATFORMKEY"),
  "x-access-platformtoken": setting("PLATFORMTOKEN"),
});
const email = `generated+typescript${process.pid}@example.com`;
const path = { identifier: email };
const jane: Schemas["CustomerDetails"] = { company: "Generated Ltd", email, name: "Jané Doe", zip: "EC1A 1AA" };

// Created once; the pair is for the server. The 409 says who has the address, and nothing about who typed it.
// A reply that is lost is asked for again with the same Idempotency-Key.
const once = { params: { header: { "Idempotency-Key": crypto.randomUUID() } }, body: jane };
const lost = ok(await app.POST("/customer", once));
const replayed = await app.POST("/customer", once);
const created = ok(replayed);
assert.equal(replayed.response.headers.get("idempotent-replayed"), "true");
assert.equal(created.cuid, lost.cuid);
const again = refused(await app.POST("/customer", { body: jane }), 409, "customer_exists");
assert.equal(again.cuid, created.cuid);
const wrong = { company: "Generated Ltd", email: "nobody" };
const invalid = refused(await app.POST("/customer", { body: wrong }), 400, "invalid_request");
assert.deepEqual(invalid.errors?.map((error) => error.field), ["email"]);

// The passcode decides who signs in. A person reads the mail; here the local mailbox is asked for it.
const sent = ok(await app.GET("/customer/{identifier}/passcode", { params: { path } }));
assert.ok(sent.message.includes(email));
const mails = (await (await fetch(`${setting("MAILBOX")}/messages?to=${encodeURIComponent(email)}`)).json()) as [
  { text: string },
];
const passcode = /\d{4} \d{4}/.exec(mails[0].text)?.[0] ?? "";
const signIn = (guess: string) =>
  app.GET("/customer/{identifier}/auth", { params: { path, header: { "x-access-passcode": guess } } });
refused(await signIn(passcode === "0000 0000" ? "1111 1111" : "0000 0000"), 401, "invalid_passcode");
const pair = ok(await signIn(passcode));
assert.equal(pair.cuid, created.cuid);
assert.ok(new Date(pair.expires_at) > new Date());

// With that pair the customer reads its own record, and no other.
const customer = caller({ "x-access-key": pair.key, "x-access-token": pair.token });
const read = (cuid: string) => customer.GET("/customer/{identifier}", { params: { path: { identifier: cuid } } });
const first = ok(await read(pair.cuid));
assert.deepEqual([first.email, first.name, first.zip, first.city], [email, "Jané Doe", "EC1A 1AA", undefined]);
assert.ok(first.email_verified && new Date(first.created_at) <= new Date());
const own = { path: { identifier: pair.cuid } };
const change = { params: own, body: { city: "London", zip: null } };
const record = ok(await customer.PATCH("/customer/{identifier}", change));
assert.deepEqual([record.city, record.zip, record.name], ["London", undefined, "Jané Doe"]);
refused(await read("0".repeat(22)), 404, "no_matching_key");

// One by its address; all of them page by page.
const found = ok(await app.GET("/customer", { params: { query: { email } } }));
assert.deepEqual(found.map((customer) => customer.cuid), [pair.cuid]);
const more = ok(await app.POST("/customer", { body: { company: "Müller GmbH", email: `more-${email}` } }));
const seen: string[] = [];
let cursor: string | undefined;
do {
  const page = await app.GET("/customer", { params: { query: { limit: 1, ...(cursor && { cursor }) } } });
  seen.push(...ok(page).map((customer) => customer.cuid));
  const following = /<(.*)>; rel="next"/.exec(page.response.headers.get("link") ?? "")?.[1];
  cursor = following && (new URL(following, "https://api.example").searchParams.get("cursor") ?? undefined);
} while (cursor);
assert.ok(seen.includes(pair.cuid) && seen.includes(more.cuid) && new Set(seen).size === seen.length, seen.join());

// An App that vouches for its customers needs no passcode. A second pair leaves the first good.
const vouched = ok(await app.GET("/customer/{identifier}/auth/nopasscode", { params: { path } }));
assert.ok(vouched.cuid === pair.cuid && vouched.key !== pair.key);

// To the platform: the server takes the address out of the redirect, the browser goes there, the platform redeems.
const { response } = await app.GET("/customer/{identifier}/sso", {
  params: { path, query: { return_to: "/campaigns?tab=spend", state: "4b1f9c2e7a" } },
});
assert.equal(response.status, 302);
const location = new URL(response.headers.get("location") ?? "").searchParams;
// What is bound to the ticket stands where nobody on the way can change it.
assert.deepEqual([...location.keys()], ["ticket"]);
const ticket = location.get("ticket") ?? "";
const identity = ok(await platform.POST("/sso/redeem", { body: { ticket } }));
assert.deepEqual([identity.cuid, identity.email, identity.name], [pair.cuid, email, "Jané Doe"]);
assert.deepEqual([identity.return_to, identity.state], ["/campaigns?tab=spend", "4b1f9c2e7a"]);
refused(await platform.POST("/sso/redeem", { body: { ticket } }), 401, "invalid_ticket");

// The customer signs out, and that pair alone is no longer good.
const mine = { params: own };
assert.equal((await customer.DELETE("/customer/{identifier}/auth", mine)).response.status, 204);
refused(await read(pair.cuid), 403, "invalid_token");
const other = caller({ "x-access-key": vouched.key, "x-access-token": vouched.token });
assert.equal(ok(await other.GET("/customer/{identifier}", mine)).cuid, pair.cuid);

refused(await caller({}).GET("/customer"), 403, "missing_key");
console.log(record);
