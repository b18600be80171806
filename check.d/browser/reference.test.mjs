// The API's reference as a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeFor, look, mailsTo, newAddress, ready, visitor } from "./harness.mjs";

const desktop = { viewport: { width: 1200, height: 900 } };

async function open(t, options) {
  const page = await (await visitor(t, options)).newPage();
  await page.goto(`${ready.api}/docs`);
  await page.getByRole("heading", { name: "ATOM Customers" }).waitFor();
  return page;
}

/** Opens an operation, and returns it. */
async function operation(page, id) {
  const block = page.locator(`[id$="-${id}"].opblock`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Execute" }).waitFor();
  return block;
}

/** Sends what is filled in, and waits until the page shows this status. */
async function execute(block, status) {
  await block.getByRole("button", { name: "Execute" }).click();
  await block.locator(".live-responses-table .response-col_status", { hasText: status }).last().waitFor();
}

/** Opens the dialog of credentials, has `change` done to one of them, and closes it. */
async function authorize(page, name, change) {
  await page.getByRole("button", { name: "Authorize" }).first().click();
  const dialog = page.locator(".dialog-ux");
  const title = page.locator("h4", { hasText: new RegExp(`^${name}\\s`) });
  await change(dialog.locator(".auth-container").filter({ has: title }));
  await dialog.getByRole("button", { name: "Close" }).first().click();
}

test("the reference shows every operation, and calls the system that serves it", async (t) => {
  const page = await open(t, desktop);
  assert.equal(await page.locator(".opblock").count(), 8);
  const list = await operation(page, "listCustomers");
  await execute(list, "200");
  await authorize(page, "AppToken", (scheme) => scheme.getByRole("button", { name: "Remove authorization" }).click());
  await execute(list, "403");
  await authorize(page, "AppToken", async (scheme) => {
    await scheme.locator("input").fill(ready.app.supertoken);
    await scheme.getByRole("button", { name: /Apply|Authorize/ }).click();
  });
  await execute(list, "200");
  const email = newAddress("reference");
  const create = await operation(page, "createCustomer");
  await create.locator("textarea").fill(JSON.stringify({ company: "Reference Ltd", email }));
  await execute(create, "201");
  const send = await operation(page, "sendPasscode");
  await send.getByPlaceholder("identifier").fill(email);
  await execute(send, "200");
  assert.equal((await mailsTo(email)).length, 1);
  const auth = await operation(page, "authenticate");
  await auth.getByPlaceholder("identifier").fill(email);
  await auth.getByPlaceholder("x-access-passcode").fill(await codeFor(email));
  await auth.getByPlaceholder("passcode", { exact: true }).fill("");
  await execute(auth, "200");
});

// swagger-ui has a link within each operation's button, to the same end, and landmarks around the operations alone.
const without = ["nested-interactive", "region"];

test("the reference is readable at every width, light and dark", async (t) => {
  await look(await open(t, desktop), "reference", { fullPage: false, without });
  const page = await open(t);
  await look(page, "reference-phone", { fullPage: false, without });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, "nothing is wider than the phone");
});
