// The mailbox page of the local system.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asApp, codeFor, look, newAddress, ready, visitor } from "./harness.mjs";

/** Has a new customer mailed a code, and returns their address. */
async function mail(name, email = newAddress(name)) {
  const created = await asApp("/customer", { method: "POST", body: JSON.stringify({ company: "Mail Ltd", email }) });
  assert.equal(created.status, 201);
  assert.equal((await asApp(`/customer/${encodeURIComponent(email)}/passcode`)).status, 200);
  return email;
}

const desktop = { viewport: { width: 1200, height: 800 }, permissions: ["clipboard-read", "clipboard-write"] };
const rowOf = (page, email) => page.getByRole("listitem").filter({ hasText: email });
const linkOf = (page, email) => rowOf(page, email).getByRole("link");
const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());
const body = (page) => page.frameLocator("iframe");

test("mails appear as they come, and are read, copied and deleted", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  await fetch(`${ready.mail}/messages`, { method: "DELETE" });
  await page.goto(ready.mail);
  await page.getByText("No mail yet.").waitFor();
  await look(page, "mailbox-empty");

  const email = await mail("live", "grace@example.com");
  await page.getByRole("status").getByText("1 mail, 1 unread").waitFor();
  const row = rowOf(page, email);
  assert.match(await linkOf(page, email).textContent(), /^Unread/);
  assert.doesNotMatch(await row.textContent(), /=\?/, "the sender is decoded");
  await row.getByRole("button", { name: await codeFor(email) }).click();
  assert.equal(await clipboard(page), await codeFor(email));
  await linkOf(page, email).click();
  await body(page).getByText(await codeFor(email)).waitFor();
  assert.equal(await page.getByRole("status").textContent(), "1 mail");
  await look(page, "mailbox");
  await page.getByRole("button", { name: "Copy passcode" }).click();
  await page.getByRole("button", { name: "Copied" }).first().waitFor();
  await page.getByRole("tab", { name: "Text" }).click();
  await page.locator("#view pre").getByText(await codeFor(email)).waitFor();
  await look(page, "mailbox-text");
  await page.getByRole("tab", { name: "Source" }).click();
  const source = page.locator("#view pre");
  for (const header of ["From:", "Date:", "Message-ID:", "Content-Type: multipart/alternative"]) {
    await source.getByText(header).waitFor();
  }
  await look(page, "mailbox-source");
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
});

test("deleting all asks first", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  await mail("all");
  await page.goto(ready.mail);
  await page.getByRole("listitem").first().waitFor();
  await page.getByRole("button", { name: "Delete all" }).click();
  await page.getByRole("heading", { name: /^Delete all \d+ mails?\?$/ }).waitFor();
  await look(page, "mailbox-ask");
  await page.getByRole("button", { name: "Keep them" }).click();
  assert.ok(await page.getByRole("listitem").count() > 0);
  await page.getByRole("button", { name: "Delete all" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
  await page.getByText("No mail yet.").waitFor();
  assert.deepEqual(await (await fetch(`${ready.mail}/messages`)).json(), []);
});

test("a search counts what it finds", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const [one, other] = [await mail("found"), await mail("other")];
  await page.goto(ready.mail);
  await rowOf(page, other).waitFor();
  const total = await page.getByRole("listitem").count();
  for (const sought of [one, await codeFor(one), (await codeFor(one)).replace(" ", "")]) {
    await page.getByRole("searchbox").fill(sought);
    await page.getByText(`1 of ${total} mails`).waitFor();
    assert.ok(await rowOf(page, one).isVisible() && await rowOf(page, other).isHidden());
  }
  // What comes meanwhile is sought too.
  await mail("third");
  await page.getByText(`1 of ${total + 1} mails`).waitFor();
  await page.getByRole("searchbox").fill("nobody@");
  await page.getByText("No mail is like this.").waitFor();
  await page.getByText(`0 of ${total + 1} mails`).waitFor();
});

test("an open mail stays as it is while others come, and one mail is fetched for each", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const email = await mail("open");
  await page.goto(ready.mail);
  await linkOf(page, email).click();
  await body(page).getByText(await codeFor(email)).waitFor();
  await page.locator("iframe").evaluate((frame) => { frame.kept = true; });
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const next = await mail("next");
  await rowOf(page, next).waitFor();
  assert.deepEqual(asked, [], "the event says it all");
  assert.ok(await page.locator("iframe").evaluate((frame) => frame.kept), "the frame was made anew");
});

test("each mail has a link, and Back leads to the list", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const [older, newer] = [await mail("older"), await mail("newer")];
  await page.goto(ready.mail);
  await linkOf(page, newer).click();
  await page.getByRole("button", { name: "Copy link" }).click();
  const link = await clipboard(page);
  await linkOf(page, older).click();
  await body(page).getByText(await codeFor(older)).waitFor();
  await page.goBack();
  await page.getByText("Choose a mail to read it.").waitFor();
  await page.goForward();
  await body(page).getByText(await codeFor(older)).waitFor();
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(link);
  await body(elsewhere).getByText(await codeFor(newer)).waitFor();
  await elsewhere.getByRole("button", { name: "Delete", exact: true }).click();
  await rowOf(elsewhere, newer).waitFor({ state: "detached" });
  const gone = await page.context().newPage();
  await gone.goto(link);
  await gone.getByText("That mail is not here any more.").waitFor();
});

test("the keyboard does everything", async (t) => {
  const page = await (await visitor(t, desktop)).newPage();
  const [older, newer] = [await mail("older"), await mail("newer")];
  await page.goto(ready.mail);
  await rowOf(page, newer).waitFor();
  assert.equal(await page.locator('#list [tabindex="0"]').count(), 2, "a link and its code are in the order of the Tab key");
  const current = (email) => page.locator("[aria-current=true]").filter({ hasText: email }).waitFor();
  await page.keyboard.press("ArrowDown");
  await current(newer);
  await page.keyboard.press("j");
  await current(older);
  await page.keyboard.press("c");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await clipboard(page), await codeFor(older));
  await page.keyboard.press("2");
  await page.locator("#view pre").getByText(await codeFor(older)).waitFor();
  await page.keyboard.press("Delete");
  await rowOf(page, older).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await page.getByText("Choose a mail to read it.").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keys" }).waitFor();
  await look(page, "mailbox-keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("nobody@");
  await page.getByText("No mail is like this.").waitFor();
});

test("on a phone the mail takes the list's place", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = await mail("phone");
  await mail("an-address-that-is-too-long-for-a-phone");
  await page.goto(ready.mail);
  await rowOf(page, email).waitFor();
  const wider = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(await wider(), 0);
  assert.ok(await page.locator("#hint").isHidden(), "nothing lies over the list");
  await look(page, "mailbox-phone-list");
  await linkOf(page, email).click();
  await body(page).getByText(await codeFor(email)).waitFor();
  assert.equal(await wider(), 0);
  await look(page, "mailbox-phone");
  assert.ok(await page.getByRole("list").isHidden());
  await page.goBack();
  await rowOf(page, email).waitFor();
  await linkOf(page, email).click();
  await page.getByRole("button", { name: "Back" }).click();
  await rowOf(page, email).waitFor();
  assert.equal(page.url(), `${ready.mail}/`);
  await page.goto(`${ready.mail}/?to=${encodeURIComponent(email)}`);
  await page.getByText(/^1 of \d+ mails$/).waitFor();
});

test("the longest names leave a mail its place, and a mail that is gone is told", async (t) => {
  const name = "W".repeat(200);
  const command = { command: "create_app", name, grants: ["passcode"], brand: { name } };
  const app = await (await fetch(`${ready.api}/2015-03-31/functions/operator/invocations`, { method: "POST", body: JSON.stringify(command) })).json();
  const headers = { "x-access-superkey": app.superkey, "x-access-supertoken": app.supertoken };
  const email = newAddress("longest");
  const created = await fetch(`${ready.api}/customer`, { method: "POST", headers, body: JSON.stringify({ company: "Mail Ltd", email }) });
  assert.equal(created.status, 201);
  assert.equal((await fetch(`${ready.api}/customer/${encodeURIComponent(email)}/passcode`, { headers })).status, 200);
  const page = await (await visitor(t)).newPage();
  await page.goto(ready.mail);
  await linkOf(page, email).click();
  await body(page).getByText(await codeFor(email)).waitFor();
  const { height } = await page.locator("#view").boundingBox();
  assert.ok(height > 250, `${height} px for the mail`);
  await look(page, "mailbox-phone-longest");
  await page.goto("about:blank");
  await page.goto(`${ready.mail}/#gone`);
  await page.getByText("That mail is not here any more.").waitFor();
  await look(page, "mailbox-phone-gone");
});
