// The partner's site, from sign-up to the platform.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asApp, codeFor, look, mailsTo, newAddress, ready, visitor, wrong } from "./harness.mjs";

const site = ready.partner;

async function signUp(page, email, company = "Analytical Engines") {
  await page.goto(site);
  await page.getByLabel("Company").fill(company);
  await page.getByLabel("Your name").fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.waitForURL(`${site}/code`);
}

async function enter(page, code) {
  await page.getByLabel("The code").fill(code);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name }).waitFor();

test("a visitor signs up, reads the code, and opens the platform", async (t) => {
  const context = await visitor(t);
  const page = await context.newPage();
  const email = "ada@example.com";
  await page.goto(site);
  await look(page, "sign-up");
  await page.locator("form").evaluate((form) => { form.noValidate = true; });
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByText("Please fill this in.").waitFor();
  await look(page, "sign-up-incomplete");

  await signUp(page, email);
  assert.equal(await page.evaluate(() => document.activeElement.id), "code");
  await look(page, "code");
  await enter(page, await codeFor(email));
  await heading(page, "Your account");
  await look(page, "account");
  const cookies = await context.cookies();
  assert.ok(cookies.length > 0 && cookies.every((cookie) => cookie.httpOnly && cookie.sameSite === "Lax"));

  await page.getByRole("link", { name: "Open the platform" }).click();
  await heading(page, "Welcome, Ada Lovelace");
  assert.equal(page.url(), `${site}/platform`, "the ticket is not left in the address");
  await look(page, "platform");
  await page.reload();
  await heading(page, "Welcome, Ada Lovelace");
  await page.getByRole("link", { name: "Back to Demo App" }).click();
  await heading(page, "Your account");
  await page.getByRole("link", { name: "Open campaign 7 there" }).click();
  await page.getByRole("heading", { name: "Campaign 7" }).waitFor();
  assert.equal(page.url(), `${site}/platform/campaigns/7`);
  await page.getByText("Behind the scenes").click();
  await page.getByText("POST /sso/redeem").waitFor();
  await look(page, "platform-campaign");
  await page.getByRole("button", { name: "Sign out" }).click();
  await heading(page, "You are not signed in here");
  await look(page, "platform-outside");
  await page.getByRole("button", { name: "Sign in with Demo App" }).click();
  await heading(page, "Welcome, Ada Lovelace");
});

test("the browser's language is spoken, or the one chosen", async (t) => {
  const page = await (await visitor(t, { locale: "fr-FR" })).newPage();
  const email = newAddress("langue");
  await page.goto(site);
  await heading(page, "Créez votre compte");
  await look(page, "sign-up-french");
  await page.getByLabel("Entreprise").fill("Société");
  await page.getByLabel("Adresse e-mail").fill(email);
  await page.getByRole("button", { name: "Créer le compte" }).click();
  await page.getByText(`Nous avons envoyé un code à ${email}.`).waitFor();
  assert.match((await mailsTo(email))[0].html, /lang="fr"/, "the mail speaks it too");
  await look(page, "code-french");
  await page.getByRole("link", { name: "Español" }).click();
  await heading(page, "Revise su correo");
  await look(page, "code-spanish");
  await page.getByLabel("El código").fill(await codeFor(email));
  await page.getByRole("button", { name: "Iniciar sesión" }).click();
  await heading(page, "Su cuenta");
});

test("an unknown page is told kindly", async (t) => {
  const page = await (await visitor(t)).newPage();
  await page.goto(`${site}/nowhere`);
  await heading(page, "There is no such page");
  await look(page, "not-found");
  await page.getByRole("link", { name: "To the start" }).click();
  await heading(page, "Create your account");
});

test("the keyboard alone signs up and in", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("keys");
  await page.goto(site);
  const type = async (name, text) => {
    for (let n = 0; n < 20; n++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((name) => document.activeElement.id === name, name)) return page.keyboard.type(text);
    }
    assert.fail(`Tab does not lead to ${name}`);
  };
  await type("company", "Keys Ltd");
  await type("email", email);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site}/code`);
  await page.keyboard.type(await codeFor(email));
  await page.keyboard.press("Enter");
  await heading(page, "Your account");
});

test("everything but the countdown works without scripts", async (t) => {
  const page = await (await visitor(t, { javaScriptEnabled: false })).newPage();
  const email = newAddress("scriptless");
  await signUp(page, email);
  assert.match(await page.locator("#wait").textContent(), /^Another mail can be sent in \d+ seconds\.$/);
  await page.getByRole("button", { name: "Mail me the code again" }).click();
  await heading(page, "Check your mail");
  assert.equal((await mailsTo(email)).length, 1, "too early");
  await enter(page, await codeFor(email));
  await page.getByRole("link", { name: "Open the platform" }).click();
  await heading(page, "Welcome, Ada Lovelace");
});

test("wrong codes are told kindly, and a worn-out one is replaced at once", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("wrong");
  await signUp(page, email);
  const code = await codeFor(email);
  await enter(page, "12");
  await page.getByText("A code has eight digits").waitFor();
  await enter(page, wrong(code, 1));
  await page.getByText("That is not the code. You have 4 tries left.").waitFor();
  assert.equal(await page.getByLabel("The code").inputValue(), wrong(code, 1), "it stays to be corrected");
  await look(page, "code-wrong");
  for (const [n, left] of [[2, "3 tries"], [3, "2 tries"], [4, "one try"]]) {
    await enter(page, wrong(code, n));
    await page.getByText(`You have ${left} left.`).waitFor();
  }
  // Back leads to the form, and to no page that says it has to be sent again.
  await page.goBack();
  await heading(page, /Check your mail|Create your account/);
  await page.goto(`${site}/code`);
  await enter(page, wrong(code, 5));
  await page.getByText("That was wrong too often").waitFor();
  assert.ok(await page.getByText("The code still works for").isHidden());
  await look(page, "code-exhausted");
  await enter(page, code);
  await page.getByText("That was wrong too often").waitFor();
  await page.getByRole("button", { name: "Mail me a new code" }).click();
  await page.getByText("A new code is on its way.").waitFor();
  assert.equal((await mailsTo(email)).length, 2);
  await enter(page, await codeFor(email));
  await heading(page, "Your account");
});

test("too many mails are refused with a countdown", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("many");
  await signUp(page, email);
  for (let mails = 1; mails < 6; mails++) {
    const code = await codeFor(email);
    for (const n of [1, 2, 3, 4, 5]) await page.request.post(`${site}/code`, { form: { email, code: wrong(code, n) } });
    await page.request.post(`${site}/code/new`, { form: { email } });
  }
  assert.equal((await mailsTo(email)).length, 5);
  await page.goto(`${site}/code`);
  await page.getByText("Many codes were asked for").waitFor();
  assert.match(await page.locator("#wait").textContent(), /in \d+:\d\d\.$/);
  assert.ok(await page.getByRole("button", { name: "Mail me" }).isDisabled());
  await look(page, "code-too-many");
});

test("the countdown ends in a button to press", async (t) => {
  const page = await (await visitor(t)).newPage();
  await page.clock.install();
  const email = newAddress("patient");
  await signUp(page, email);
  const again = page.getByRole("button", { name: "Mail me the code again" });
  assert.ok(await again.isDisabled());
  const seconds = async () => Number((await page.locator("#wait span").textContent()).match(/^0:(\d\d)$/)[1]);
  const left = await seconds();
  await page.clock.runFor(10_000);
  const later = await seconds();
  assert.ok(later <= left - 10 && later > 0, `${left} to ${later}`);
  await page.clock.runFor(25_000);
  await page.getByRole("status").getByText("Another mail can be sent now.").waitFor();
  assert.ok(await again.isEnabled());
});

test("the sign-in does not say who has an account", async (t) => {
  const page = await (await visitor(t)).newPage();
  await page.goto(`${site}/sign-in`);
  await look(page, "sign-in");
  const nobody = newAddress("nobody");
  await page.getByLabel("E-mail").fill(nobody);
  await page.getByRole("button", { name: "E-mail me a code" }).click();
  await page.getByText(`If ${nobody} has an account here, we have mailed it a code.`).waitFor();
  await look(page, "sign-in-unknown");
  await enter(page, "12345678");
  await page.getByText("You have 4 tries left.").waitFor();
  assert.deepEqual(await mailsTo(nobody), []);
});

test("whoever signs up twice is signed in", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("twice");
  const body = JSON.stringify({ company: "First Ltd", email });
  assert.equal((await asApp("/customer", { method: "POST", body })).status, 201);
  await signUp(page, email, "Second Ltd");
  await enter(page, await codeFor(email));
  await page.getByText("First Ltd").waitFor();
});

test("two tabs do not get in each other's way", async (t) => {
  const context = await visitor(t);
  const [first, second, other] = [await context.newPage(), await context.newPage(), await context.newPage()];
  const [email, another] = [newAddress("tabs"), newAddress("tabs")];
  await signUp(first, email);
  await second.goto(`${site}/code`);
  await signUp(other, another);
  // The first tab asks for the first address, whatever the newest is.
  await enter(first, await codeFor(email));
  await first.getByText(email).waitFor();
  // The same code in the second tab, which the first one has used up.
  await enter(second, await codeFor(email));
  await second.getByText(email).waitFor();
});

test("a double click signs in once", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("double");
  await signUp(page, email);
  await page.getByLabel("The code").fill(await codeFor(email));
  await page.getByRole("button", { name: "Sign in" }).dblclick();
  await heading(page, "Your account");
  await page.getByRole("link", { name: "Open the platform" }).dblclick();
  await heading(page, "Welcome, Ada Lovelace");
});

test("the back button leads to nothing that is over", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("back");
  await signUp(page, email);
  await enter(page, await codeFor(email));
  await heading(page, "Your account");
  await page.goBack();
  await heading(page, "Your account");
  await page.getByRole("link", { name: "Open the platform" }).click();
  await heading(page, "Welcome, Ada Lovelace");
  await page.goBack();
  await heading(page, "Your account");
  await page.getByRole("button", { name: "Sign out" }).click();
  await heading(page, "Create your account");
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: /Sign in|Create your account/ }).waitFor();
});

test("a link to the platform seats nobody who has not asked for it", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("link");
  await signUp(page, email);
  const link = (await asApp(`/customer/${encodeURIComponent(email)}/sso`, { redirect: "manual" })).headers.get("location");
  await page.goto(link);
  await heading(page, "You are not signed in here");
  await page.goto(link);
  await heading(page, "This link is used up");
  await look(page, "platform-refused");
});
