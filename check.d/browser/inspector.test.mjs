// The home page and the inspector of the local system.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asApp, codeFor, look, mailsTo, newAddress, ready, visitor } from "./harness.mjs";

const desktop = { viewport: { width: 1280, height: 860 }, permissions: ["clipboard-read", "clipboard-write"] };
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** A customer who was mailed a code; returns the address and the request's id. */
async function sent(name) {
  const email = newAddress(name);
  const created = await asApp("/customer", { method: "POST", body: JSON.stringify({ company: "Inspected Ltd", email }) });
  assert.equal(created.status, 201);
  const mailed = await asApp(`/customer/${encodeURIComponent(email)}/passcode`);
  assert.equal(mailed.status, 200);
  return { email, id: mailed.headers.get("apigw-requestid") };
}

test("the home page has everything that a newcomer needs", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  await page.goto(ready.api);
  for (const address of [ready.partner, ready.mail]) {
    await page.getByRole("link", { name: `${address}/` }).waitFor();
  }
  const exports = page.locator("#exports");
  assert.doesNotMatch(await exports.textContent(), new RegExp(ready.app.supertoken));
  await page.getByRole("button", { name: "Copy all lines" }).click();
  const lines = await clipboard(page);
  for (const line of [`API=${ready.api} MAILBOX=${ready.mail}`, `SUPERKEY=${ready.app.superkey}`, `SUPERTOKEN=${ready.app.supertoken}`,
    `PLATFORMTOKEN=${ready.platform.platformtoken}`]) {
    assert.ok(lines.includes(`export ${line}\n`), line);
  }
  await page.getByRole("button", { name: "Show tokens" }).click();
  assert.match(await exports.textContent(), new RegExp(ready.app.supertoken));
  await page.getByRole("button", { name: "Show tokens" }).click();
  await page.getByRole("row", { name: /^operator ready/ }).waitFor();
  await look(page, "home");
  const phone = await (await visitor(t)).newPage();
  await phone.goto(ready.api);
  await phone.getByRole("row", { name: /^operator ready/ }).waitFor();
  await look(phone, "home-phone");
  assert.equal(await overflow(phone), 0, "nothing is wider than the phone");
});

test("each request is a row as it comes, and behind it is its story", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  await page.goto(`${ready.api}/inspector/`);
  await page.getByText("live").waitFor();
  const { email, id } = await sent("story");
  await page.locator(`a[href="#${id}"]`).click();
  const story = page.getByRole("region", { name: "The request's story" });
  await story.getByRole("img").waitFor();
  const picture = await story.getByRole("img").getAttribute("aria-label");
  assert.match(picture, /Gateway to send-passcode: event/);
  assert.match(picture, /send-passcode to SES: \d SendEmail/);
  assert.match(picture, /UpdateItem Passcodes \(budget\)/);
  await look(page, "inspector", { fullPage: false });
  await story.locator("summary", { hasText: "SendEmail" }).click();
  await story.getByText("taken, and in the mailbox").last().waitFor();
  const sending = story.locator("details", { hasText: "SendEmail" }).last();
  await sending.getByText(/^allowed by statements? [\d, ]+ of send-passcode$/).click();
  await sending.getByText(/^ses:SendEmail on .*: statement \d+ of send-passcode$/).first().waitFor();
  const code = await codeFor(email);
  assert.ok(!(await story.textContent()).includes(code), "secrets are hidden");
  await page.getByRole("button", { name: "Show secrets" }).click();
  await story.getByText(code).first().waitFor();
  await page.getByRole("button", { name: "Show secrets" }).click();
  await story.getByText(code).first().waitFor({ state: "detached" });
  for (const summary of await story.locator("summary").all()) {
    if (await summary.isVisible()) await summary.click();
  }
  await look(page, "inspector-open", { fullPage: false });

  await story.getByRole("button", { name: "Copy as curl" }).click();
  await story.getByRole("button", { name: "Copied" }).waitFor();
  const curl = await clipboard(page);
  assert.ok(curl.startsWith(`curl -i '${ready.api}/customer/`) && curl.includes(ready.app.supertoken), curl);
  await story.getByRole("button", { name: "Send again" }).click();
  await page.waitForFunction((id) => location.hash !== `#${id}`, id);
  await story.getByRole("heading", { name: "GET /customer/{identifier}/passcode 200" }).waitFor();
  assert.equal((await mailsTo(email)).length, 1, "the cooldown holds");
});

test("a story says why a request was refused", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const command = (fields) => fetch(`${ready.api}/2015-03-31/functions/operator/invocations`, { method: "POST", body: JSON.stringify(fields) });
  const app = await (await command({ command: "create_app", name: "Refused" })).json();
  const headers = { "x-access-superkey": app.superkey, "x-access-supertoken": app.supertoken };
  const story = page.getByRole("region", { name: "The request's story" });
  const told = async (refused, words) => {
    await page.goto("about:blank");
    await page.goto(`${ready.api}/inspector/#${refused.headers.get("apigw-requestid")}`);
    for (const line of words) await story.getByText(line, { exact: true }).waitFor();
  };
  await told(await fetch(`${ready.api}/customer/x@example.com/passcode`, { headers }), ["the App has no grants; it has no platform"]);
  const wrong = { method: "POST", headers, body: JSON.stringify({ email: "x@example.com" }) };
  await told(await fetch(`${ready.api}/customer`, wrong), ["The request is not valid.", "company", "Is required."]);
  await command({ command: "suspend_app", superkey: app.superkey });
  await told(await fetch(`${ready.api}/customer`, { headers }), ["User not allowed for API access.", 'status is "suspended" in AppsTable']);
});

test("rows are filtered by route, status and request_id", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const { id } = await sent("filter");
  const refused = (await fetch(`${ready.api}/customer`)).headers.get("apigw-requestid");
  await page.goto(`${ready.api}/inspector/`);
  const row = (id) => page.locator(`a[href="#${id}"]`);
  await row(refused).waitFor();
  const lost = await fetch(`${ready.api}/custmer/ada?superkey=atomsk_x`);
  await row(lost.headers.get("apigw-requestid")).getByText("GET /custmer/ada", { exact: true }).waitFor();
  await page.getByLabel("Status").selectOption("4xx");
  await row(id).waitFor({ state: "hidden" });
  assert.ok(await row(refused).isVisible());
  await page.getByLabel("Status").selectOption("all");
  await page.getByLabel("Route").selectOption("GET /customer/{identifier}/passcode");
  await row(refused).waitFor({ state: "hidden" });
  assert.ok(await row(id).isVisible());
  await page.getByLabel("Route").selectOption("all");
  await page.getByLabel("Request", { exact: true }).fill(refused);
  await row(id).waitFor({ state: "hidden" });
  assert.ok(await row(refused).isVisible());
  await page.getByLabel("Request", { exact: true }).fill("no such id");
  await page.getByText("No request passes the filters.").waitFor();
});

test("a passcode is let expire, a mail fails, a table is throttled", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const { email, id } = await sent("fault");
  await page.goto(`${ready.api}/inspector/#${id}`);
  const story = page.getByRole("region", { name: "The request's story" });
  await story.getByRole("button", { name: "Let this passcode expire" }).click();
  await story.getByRole("button", { name: "Let this passcode expire" }).waitFor({ state: "detached" });
  const auth = await asApp(`/customer/${encodeURIComponent(email)}/auth?passcode=${(await codeFor(email)).replace(" ", "")}`);
  assert.equal(auth.status, 401);
  await page.goto(`${ready.api}/inspector/#${auth.headers.get("apigw-requestid")}`);
  await story.getByText("Expired or invalid passcode.").first().waitFor();

  await page.getByRole("button", { name: "Make it go wrong" }).click();
  await page.getByRole("button", { name: "Fail the next mail" }).click();
  await page.getByText("The next mail fails.").waitFor();
  await page.getByLabel("Table").selectOption("AppsTable");
  await page.getByRole("button", { name: "Throttle it" }).click();
  await page.getByText("Throttled: AppsTable.").waitFor();
  const throttled = await asApp("/customer");
  assert.equal(throttled.status, 500);
  await page.locator(`a[href="#${throttled.headers.get("apigw-requestid")}"]`).click();
  await story.getByText(/ProvisionedThroughputExceededException: Throttled on purpose by the inspector$/).first().waitFor();
  await look(page, "inspector-faults", { fullPage: false });
  await page.getByRole("button", { name: "Let all go well" }).click();
  await page.getByText("All goes well.").waitFor();
  assert.equal((await asApp("/customer")).status, 200);
});

test("a mailbox bounces, is held back, and is mailed again once the operator allows it", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const { email, id } = await sent("bounce");
  await page.goto(`${ready.api}/inspector/#${id}`);
  const story = page.getByRole("region", { name: "The request's story" });
  await story.getByRole("button", { name: "Bounce this mailbox" }).click();
  await story.getByRole("heading", { name: "mail-events 200" }).waitFor();
  assert.match(await story.getByRole("img").getAttribute("aria-label"), /^EventBridge to Lambda: .*TransactWriteItems Directory, Customers/);
  await look(page, "inspector-bounce", { fullPage: false });

  const path = `/customer/${encodeURIComponent(email)}/passcode`;
  const refused = await asApp(path);
  assert.equal(refused.status, 422);
  assert.equal((await refused.json()).code, "mail_undeliverable");
  assert.equal((await mailsTo(email)).length, 1);
  await page.locator(`a[href="#${refused.headers.get("apigw-requestid")}"]`).click();
  await story.getByRole("heading", { name: "422 mail_undeliverable" }).waitFor();
  await story.getByText('mail_status is "bounced" in DirectoryTable').waitFor();
  await story.getByRole("button", { name: "Allow mail again" }).click();
  await story.getByRole("heading", { name: "operator allow_mail 200" }).waitFor();
  await story.getByText("taken off the suppression list").first().waitFor();
  await look(page, "inspector-allow", { fullPage: false });

  // The code that is out is let expire, so that no cooldown holds the next mail back.
  await page.goBack();
  await page.goto(`${ready.api}/inspector/#${id}`);
  await story.getByRole("button", { name: "Let this passcode expire" }).click();
  await story.getByRole("button", { name: "Let this passcode expire" }).waitFor({ state: "detached" });
  assert.equal((await asApp(path)).status, 200);
  assert.equal((await mailsTo(email)).length, 2);
});

test("the keyboard does everything, and the way back leads to the list", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const [older, newer] = [await sent("older"), await sent("newer")];
  await page.goto(`${ready.api}/inspector/`);
  const link = page.locator(`a[href="#${newer.id}"]`);
  await link.waitFor();
  assert.equal(await page.locator('#rows a[tabindex="0"]').count(), 1, "one row is in the order of the Tab key");
  await link.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.hash), `#${older.id}`);
  await page.keyboard.press("Enter");
  const story = page.getByRole("region", { name: "The request's story" });
  await story.getByText(older.id, { exact: true }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "story");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Copy as curl");
  await page.goBack();
  await story.getByText("Choose a request").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.hash), `#${older.id}`);
  await page.keyboard.press("Enter");
  await story.getByText(older.id, { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await story.getByText("Choose a request").waitFor();
});

test("on a phone the list and the story take turns", async (t) => {
  const page = await (await visitor(t)).newPage();
  const { id } = await sent("phone");
  await page.goto(`${ready.api}/inspector/`);
  await page.locator(`a[href="#${id}"]`).waitFor();
  await look(page, "inspector-list-phone", { fullPage: false });
  assert.equal(await overflow(page), 0, "nothing is wider than the phone");
  await page.locator(`a[href="#${id}"]`).click();
  await page.getByRole("img").waitFor();
  await look(page, "inspector-phone");
  assert.equal(await overflow(page), 0, "nothing is wider than the phone");
  await page.getByRole("link", { name: "Back to all requests" }).click();
  await page.locator(`a[href="#${id}"]`).waitFor();
});
