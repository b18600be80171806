// One request's story, told in full below its picture.
import { ask, copyButton, element, named } from "./page.js";
import { draw, ms, tables } from "./picture.js";

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
const pretty = (text) => (parsed(text) === null ? text : JSON.stringify(parsed(text), null, 2));
const shown = ({ text, bytes, whole }) => `${pretty(text)}${whole ? "" : `\n… ${bytes} bytes in all`}`;
const block = (text) => element("pre", {}, text);
const pairs = (list) => block(list.map(([name, value]) => `${name}: ${value}`).join("\n"));
const part = (name, summary, ...inside) => element("details", { "data-name": name }, element("summary", {}, summary), ...inside);
const fact = (name, value) => (value == null || value === "" ? [] : [element("dt", {}, name), element("dd", {}, value)]);
const compact = (value) => element("code", {}, typeof value === "string" ? value : JSON.stringify(value));

/** A button that does something and says when it could not. */
function action(label, act) {
  const button = element("button", {
    type: "button",
    async onclick() {
      try {
        await act();
      } catch (error) {
        button.textContent = error.message;
      }
    },
  }, label);
  return button;
}

/** What a table's records are, of those that expire. */
const expiring = { PasscodesTable: "passcode", CredentialsTable: "pair", TicketsTable: "ticket" };

/** Time and fate of what the request was about: each record that still lives may expire, each mail come back. */
function fates(story, reread) {
  const steps = story.calls.flatMap((call) => call.steps);
  const alive = new Map(steps.filter((step) => step.alive).map((step) => [JSON.stringify([step.table, step.item]), step]));
  const expire = [...alive.values()].map(({ table, item }) => action(`Let this ${expiring[table] ?? "record"} expire`, async () => {
    await ask("expire", { table, key: item });
    reread();
  }));
  const bounce = story.calls.flatMap((call, index) => (call.mail?.id ? [action("Bounce this mailbox", async () => {
    const { id } = await ask("bounce", { request: story.id, call: index });
    location.hash = id;
  })] : []));
  // The guard that held the mail back names its customer.
  const cuid = story.answer?.code === "mail_undeliverable" && steps.find((step) => step.attributes?.cuid)?.attributes.cuid;
  const allow = cuid && action("Allow mail again", async () => {
    const { id } = await ask("allow-mail", { cuid });
    if (id) location.hash = id;
  });
  return [...expire, ...bounce, allow];
}

function step(step) {
  const well = /^(found|written|taken|it is not on|the condition holds|\d+ items)/.test(step.found);
  return element("li", { class: well ? "found" : "refused" },
    element("strong", {}, step.table ? `${step.does} ${step.table}` : step.does), ": ", step.found,
    element("dl", {},
      ...(step.table ? fact("key", step.key && compact(step.key)) : Object.entries(step.key ?? {}).flatMap(([name, value]) => fact(name, `${value}`))),
      ...fact("if", step.condition && compact(step.condition)),
      ...fact("writes", step.writes && compact(step.writes))),
    step.attributes && part(`${step.table} ${JSON.stringify(step.key)}`, "the item", block(JSON.stringify(step.attributes, null, 2))));
}

/** What of the records that were read refuses a caller who is known. */
function refusing(items) {
  const suspended = items.filter(({ attributes: { status } }) => status && status !== "active");
  if (suspended.length) return suspended.map(({ table, attributes }) => `status is "${attributes.status}" in ${table}`);
  // The record, or one of its copies.
  const app = items.find(({ attributes }) => attributes.kind?.startsWith("app"))?.attributes;
  if (!app) return [];
  const grants = [app.grants ?? []].flat();
  return [[
    grants.length ? `the App's grants are ${grants.join(", ")}` : "the App has no grants",
    "mail_suspended" in app && "its mails are suspended", !app.platform && "it has no platform",
  ].filter(Boolean).join("; ")];
}

/** Why it ended as it did: what the caller was told, what the function noted and reported, what holds a mail back. */
function reasons(story) {
  const told = parsed(story.answer?.body.text);
  const lines = story.lines.flatMap(({ text: { text } }) => {
    const line = parsed(text);
    if (line === null) return fact("Written", text);
    if (line.message === "audit") return fact("Noted", line.event);
    if (!["WARN", "ERROR"].includes(line.level)) return [];
    // A chain of causes says some of them twice, and its step is what the caller was told.
    const causes = [line.step === told?.message ? "" : line.step, line.cause].filter(Boolean).join(": ").split(": ");
    return fact("Logged", [...new Set(causes.map((cause) => cause.replace(/\.$/, "")))].join(": "));
  });
  const items = story.calls.flatMap(({ steps }) => steps).filter((step) => step.attributes);
  const held = story.answer?.code === "mail_undeliverable" && items.find((step) => step.attributes.mail_status);
  return element("dl", {}, story.answer?.code && fact("Told", told?.message ?? told?.errorMessage),
    told?.errors?.map(({ field, message }) => fact(field, message)), lines,
    story.answer?.code === "not_allowed" && refusing(items).map((why) => fact("Found", why)),
    held && fact("Found", `mail_status is "${held.attributes.mail_status}" in ${held.table}`));
}

function mail({ mail: { text, id } }, mailbox) {
  return [text && block(text), id && mailbox && element("p", {}, element("a", { href: `${mailbox}/#${id}` }, "Open the mail"))];
}

function call(story, call, index, mailbox) {
  const took = ms(call.ended_ms - call.started_ms);
  const counts = new Map();
  for (const { found } of call.steps) counts.set(found, (counts.get(found) ?? 0) + 1);
  const results = [...counts].map(([found, count]) => (count > 1 ? `${count} × ${found}` : found)).join(", ");
  const wrong = call.fault || call.status !== 200;
  const statements = [...new Set(call.allowed_by.map(({ number }) => number))];
  return part(`call ${index}`, [
    element("strong", {}, [index + 1, call.action, tables(call)].filter(Boolean).join(" ")), ` ${took} `, element("span", { class: wrong ? "bad" : "soft" }, results),
  ],
  call.fault && element("p", { class: "note" }, `Made to go wrong: ${call.fault}.`),
  element("ul", { class: "steps" }, call.steps.map(step)),
  call.mail && mail(call, mailbox),
  call.allowed_by.length > 0 && part(`allowed ${index}`, `allowed by ${statements.length > 1 ? "statements" : "statement"} ${statements.join(", ")} of ${story.function}`, call.allowed_by.map((it) => [
    element("p", {}, `${it.action} on ${it.resource}: statement ${it.number} of ${story.function}`),
    block(JSON.stringify(it.statement, null, 2)),
  ])),
  part(`raw ${index}`, "as it was sent and answered", block(shown(call.request)), element("p", { class: "soft" }, call.status ? `${call.status}` : "no answer"), block(shown(call.answer))));
}

/** Tells `story` in `place`. */
export function tell(place, story, { mail: mailbox, reread }) {
  const status = story.answer?.status;
  const times = [
    `${story.at.slice(0, 19).replace("T", " ")} UTC`, story.ended_ms == null ? "under way" : ms(story.ended_ms),
    story.cold == null ? null : story.cold ? "cold: its process's first request" : "warm",
  ].filter(Boolean).join(" · ");
  const again = action("Send again", async () => {
    const { id } = await ask(`requests/${encodeURIComponent(story.id)}/again`, {});
    if (id) location.hash = id;
  });
  const curl = copyButton("Copy as curl", () => ask(`requests/${encodeURIComponent(story.id)}/curl`));
  if (!story.repeatable) again.disabled = curl.disabled = true;
  place.replaceChildren(...[
    element("a", { id: "back", href: "#" }, "Back to all requests"),
    element("h2", {}, `${named(story)} `, status == null ? "" : status === 0 ? "reply lost" : `${status} `, story.answer?.code ?? ""),
    element("p", { class: "soft" }, times),
    element("p", {}, "request_id ", element("code", {}, story.id)),
    story.answer?.note && element("p", { class: "note" }, story.answer.note),
    reasons(story),
    element("div", { class: "bar" }, curl, again, copyButton("Copy request_id", () => story.id),
      ...fates(story, reread)),
    draw(story, Math.max(320, place.clientWidth - 36)),
    story.direction !== "event" && part("request", "The request", block(`${story.method} ${story.target}`), pairs(story.headers), story.body.bytes > 0 && block(shown(story.body))),
    story.event && part("event", `The event that ${story.function} was given`, block(shown(story.event)), element("p", { class: "soft" }, `process ${story.process ?? "none yet"}`)),
    ...story.calls.map((it, index) => call(story, it, index, mailbox)),
    story.lines.length > 0 && part("log", `Log: ${story.lines.length} ${story.lines.length === 1 ? "line" : "lines"}`,
      story.lines.map(({ text }) => block(shown(text)))),
    (story.reply ?? story.failure) && part("reply", story.reply ? "The function's reply" : "The function's failure", block(shown(story.reply ?? story.failure))),
    story.answer && part("answer", `What the caller got: ${status === 0 ? "nothing" : status}`, pairs(story.answer.headers), block(shown(story.answer.body))),
  ].filter(Boolean));
}
