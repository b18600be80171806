// The API's reference as a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asApp, codeFor, look, mailsTo, newAddress, ready, visitor } from "./harness.mjs";

const desktop = { viewport: { width: 1200, height: 900 } };

async function open(t, options) {
  const page = await (await visitor(t, options)).newPage();
  await page.goto(`${ready.api}/docs`);
  await page.getByRole("heading", { name: "ATOM Customers" }).waitFor();
  return page;
}

/** Opens the dialog in which an operation is tried. */
async function operation(page, tag, method, path) {
  await page.evaluate((hash) => { location.hash = hash; }, `#tag/${tag}/${method}${path}`);
  await page.locator("button", { hasText: `Test Request(${method.toLowerCase()} ${path})` }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /^Send/ }).first().waitFor();
  return dialog;
}

/** Writes into the value of a parameter. */
const fill = (dialog, name, value) =>
  dialog.locator("tr, [role=row]", { hasText: name }).locator("[contenteditable=true]").last().fill(value);

/** Sends what is filled in, waits for this status, and closes the dialog. */
async function send(dialog, status) {
  await dialog.getByRole("button", { name: /^Send/ }).first().click();
  await dialog.getByText(new RegExp(`^${status} `)).first().waitFor();
}

async function close(page) {
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
}

// Scalar's editors, popovers and dialogs have roles without all that belongs to them.
const ofScalar = ["aria-required-attr", "aria-allowed-role", "aria-prohibited-attr", "presentation-role-conflict",
  "landmark-no-duplicate-main", "landmark-unique", "aria-input-field-name", "aria-valid-attr-value", "scrollable-region-focusable"];

test("every call can be tried with the demo's credentials", async (t) => {
  const page = await open(t, desktop);
  const email = newAddress("reference");
  let dialog = await operation(page, "customers", "POST", "/customer");
  const editor = dialog.locator(".cm-content").last();
  await editor.fill(JSON.stringify({ company: "Reference Ltd", email }));
  await send(dialog, 201);
  await page.mouse.move(5, 5);
  await look(page, "reference-try", { fullPage: false, without: ofScalar });
  await close(page);

  dialog = await operation(page, "customers", "GET", "/customer");
  await send(dialog, 200);
  await close(page);
  const [{ cuid }] = await (await asApp(`/customer?email=${encodeURIComponent(email)}`)).json();

  dialog = await operation(page, "customers", "GET", "/customer/{identifier}");
  await fill(dialog, "identifier", cuid);
  await send(dialog, 200);
  await close(page);

  dialog = await operation(page, "customers", "PATCH", "/customer/{identifier}");
  await fill(dialog, "identifier", cuid);
  await dialog.locator(".cm-content").last().fill(JSON.stringify({ name: "Ada" }));
  await send(dialog, 200);
  await look(page, "reference-patch", { fullPage: false, without: ofScalar });
  await close(page);

  dialog = await operation(page, "sign-in", "GET", "/customer/{identifier}/passcode");
  await fill(dialog, "identifier", email);
  await send(dialog, 200);
  assert.equal((await mailsTo(email)).length, 1);
  await close(page);

  // The code as it was mailed, in the query, where no example in a header wins over it.
  dialog = await operation(page, "sign-in", "GET", "/customer/{identifier}/auth");
  await fill(dialog, "identifier", email);
  await fill(dialog, "passcode", await codeFor(email));
  await send(dialog, 200);
  await close(page);

  dialog = await operation(page, "single-sign-on", "GET", "/customer/{identifier}/sso");
  await fill(dialog, "identifier", email);
  await send(dialog, 302);
  const shown = dialog.getByText(/^Location: /).first();
  await shown.waitFor();
  const ticket = new URL((await shown.textContent()).replace("Location: ", "")).searchParams.get("ticket");
  await close(page);

  dialog = await operation(page, "single-sign-on", "POST", "/sso/redeem");
  await dialog.locator(".cm-content").last().fill(JSON.stringify({ ticket }));
  await send(dialog, 200);
  await close(page);

  dialog = await operation(page, "sign-in", "GET", "/customer/{identifier}/auth/nopasscode");
  await fill(dialog, "identifier", email);
  await send(dialog, 200);
  await close(page);

  dialog = await operation(page, "sign-in", "DELETE", "/customer/{identifier}/auth");
  await fill(dialog, "identifier", cuid);
  await send(dialog, 204);
  await close(page);
  assert.deepEqual(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage])), "[{},{}]");
});

test("a search finds fields", async (t) => {
  const page = await open(t, desktop);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").or(page.getByRole("dialog").locator("input")).first().fill("zip");
  await page.getByRole("option", { name: /Create a customer/ }).waitFor();
  await look(page, "reference-search", { fullPage: false, without: ofScalar });
});

test("the reference is readable at every width, light and dark, and begins with the endpoints", async (t) => {
  for (const [name, options] of [["reference", desktop], ["reference-phone", {}]]) {
    const page = await open(t, options);
    const first = await page.locator("main, #reference").first().getByRole("link", { name: "Create a customer" }).first();
    assert.ok((await first.boundingBox()).y < 760, "the first endpoint is in view");
    await look(page, name, { fullPage: false, without: ofScalar });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wider, 0, "nothing is wider than the window");
  }
});
