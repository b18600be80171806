// get-customer for an App, with the AWS SDK for JavaScript.
import { createHash, timingSafeEqual } from "node:crypto";
import { BatchGetItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";

// Outside the handler, so that the connection and the client outlive the request.
const client = new DynamoDBClient({});
const { APPS_TABLE, CUSTOMERS_TABLE } = process.env;
const FIELDS = ["cuid", "email", "company", "name", "address", "country", "city", "zip", "state", "phone", "website"];

const reply = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  body: JSON.stringify(body),
});

export async function handler(event) {
  const key = event.headers["x-access-superkey"];
  const token = event.headers["x-access-supertoken"];
  if (!key) return reply(403, { message: "Missing key" });
  if (!token) return reply(403, { message: "Missing token" });
  const cuid = event.pathParameters.identifier;
  const { Responses } = await client.send(
    new BatchGetItemCommand({
      RequestItems: {
        [APPS_TABLE]: { Keys: [{ key: { S: key } }], ConsistentRead: true },
        [CUSTOMERS_TABLE]: { Keys: [{ cuid: { S: cuid } }], ConsistentRead: true },
      },
    }),
  );
  const [app] = Responses[APPS_TABLE];
  const [customer] = Responses[CUSTOMERS_TABLE];
  if (!app) return reply(404, { message: "No matching key" });
  const hash = createHash("sha256").update(token).digest();
  if (!timingSafeEqual(hash, app.token_hash.B)) return reply(403, { message: "Invalid token" });
  if (customer?.app.S !== key) return reply(404, { message: "User not found." });
  const fields = FIELDS.filter((name) => customer[name]).map((name) => [name, customer[name].S]);
  return reply(200, {
    ...Object.fromEntries(fields),
    created_at: new Date(Number(customer.created_at.N)).toISOString(),
  });
}
