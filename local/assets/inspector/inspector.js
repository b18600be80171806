import { ask, element, links, named } from "./page.js";
import { tell } from "./story.js";

const find = (selector) => document.querySelector(selector);
const body = find("#rows tbody");
const rows = new Map();
let secrets = false;

const handout = links(find("nav"));

/** Whether a row passes the filters. */
function passes(row) {
  const [route, status, id] = [find("#route").value, find("#status").value, find("#id").value.trim()];
  const kind = `${row.status ?? ""}`[0];
  return (!route || row.route === route) && (!id || row.id.includes(id)) && (!status || (status === "wrong" ? row.fault
    : status === "2" ? kind === "2" || kind === "3" : kind === status));
}

// Lambda says 200 of a function's own error, too.
function colour({ status, code }) {
  return status == null ? "soft" : status >= 500 || status === 0 ? "bad" : status >= 400 || code ? "warn" : "good";
}

/** A table row for a request; it takes the place of an older one. */
function show(row) {
  const known = rows.get(row.id);
  const line = element("tr", { hidden: !passes(row) },
    element("td", { class: "time" }, element("time", { datetime: row.at }, row.at.slice(11, 19))),
    element("td", { class: "state" }, element("span", { class: colour(row) }, row.status === 0 ? "lost" : `${row.status ?? "…"}`)),
    element("td", { class: "route" },
      element("a", { href: `#${row.id}`, "aria-current": row.id === chosen() && "true" }, named(row)),
      row.code && element("span", { class: "soft" }, row.code),
      row.note && element("span", { class: "bad" }, row.note)),
    element("td", { class: "ms" }, row.ms == null ? "" : row.ms.toFixed(row.ms < 10 ? 1 : 0)),
    element("td", { class: "start" }, row.cold == null ? "" : row.cold ? "cold" : "warm"));
  if (known) {
    const focused = known.line.contains(document.activeElement);
    known.line.replaceWith(line);
    if (focused) line.querySelector("a").focus();
  } else {
    body.prepend(line);
  }
  rows.set(row.id, { row, line });
  if (![...find("#route").options].some((option) => option.value === row.route)) {
    find("#route").append(element("option", { value: row.route }, row.route));
  }
  // As many as the system keeps.
  if (rows.size > 500) {
    const [oldest, { line }] = rows.entries().next().value;
    line.remove();
    rows.delete(oldest);
  }
}

function count() {
  reach();
  const shown = [...rows.values()].filter(({ line }) => !line.hidden).length;
  find("#none").hidden = shown > 0;
  find("#none").textContent = rows.size ? "No request passes the filters." : "No request yet. Call the API, or sign up at the demo site: each request is a row here.";
}

/** One of the rows is in the order of the Tab key; arrows lead to the others. */
function reach() {
  const shown = [...rows.values()].filter(({ line }) => !line.hidden).reverse();
  const first = shown.find(({ row }) => row.id === chosen()) ?? shown[0];
  for (const known of rows.values()) known.line.querySelector("a").tabIndex = known === first ? 0 : -1;
}

const chosen = () => decodeURIComponent(location.hash.slice(1));

/** Tells the chosen request's story, or that there is none. */
async function read({ focus = false } = {}) {
  const id = chosen();
  document.body.classList.toggle("reading", Boolean(id));
  for (const { row, line } of rows.values()) {
    const link = line.querySelector("a");
    if (row.id === id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  reach();
  const place = find("#story");
  if (!id) {
    place.replaceChildren(element("p", { class: "soft" }, "Choose a request: its story is told here."));
    if (focus) rows.get(place.dataset.id)?.line.querySelector("a").focus();
    return undefined;
  }
  let story;
  try {
    story = await ask(`requests/${encodeURIComponent(id)}${secrets ? "?secrets=shown" : ""}`);
  } catch (error) {
    return place.replaceChildren(element("a", { id: "back", href: "#" }, "Back to all requests"), element("p", { class: "bad" }, error.message));
  }
  if (id !== chosen()) return undefined;
  const open = new Set([...place.querySelectorAll("details[open]")].map((details) => details.dataset.name));
  const same = place.dataset.id === id;
  tell(place, story, { mail: (await handout)?.mail, reread: () => read() });
  if (same) place.querySelectorAll("details").forEach((details) => { details.open = open.has(details.dataset.name); });
  place.dataset.id = id;
  if (focus) {
    place.scrollTop = 0;
    place.focus({ preventScroll: true });
  }
  return undefined;
}

let rereading;
const rereadSoon = () => {
  clearTimeout(rereading);
  rereading = setTimeout(read, 80);
};
// A picture is as wide as its place was.
addEventListener("resize", rereadSoon);

function follow() {
  const events = new EventSource("events");
  events.addEventListener("rows", ({ data }) => {
    body.replaceChildren();
    rows.clear();
    JSON.parse(data).forEach(show);
    find("#state").textContent = "live";
    count();
    read();
  });
  events.addEventListener("row", ({ data }) => {
    const row = JSON.parse(data);
    show(row);
    count();
    if (row.id === chosen()) rereadSoon();
  });
  events.addEventListener("error", () => { find("#state").textContent = "The local system does not answer."; });
}

for (const filter of ["#route", "#status", "#id"]) {
  find(filter).addEventListener("input", () => {
    for (const { row, line } of rows.values()) line.hidden = !passes(row);
    count();
  });
}
find("#secrets").addEventListener("click", ({ currentTarget: button }) => {
  secrets = !secrets;
  button.setAttribute("aria-pressed", secrets);
  read();
});
find("#rows").addEventListener("keydown", (event) => {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  let line = event.target.closest("tr");
  if (!step || !line) return;
  event.preventDefault();
  do line = line[step]; while (line?.hidden);
  line?.querySelector("a").focus();
});
addEventListener("hashchange", () => read({ focus: true }));
addEventListener("keydown", ({ key, target }) => {
  if (key === "Escape" && !target.closest("input, select")) location.hash = "";
});

/** What is to go wrong, as the panel shows it. */
function wished(state) {
  const table = find("#table");
  if (!table.options.length) table.append(...state.tables.map((name) => element("option", {}, name)));
  const times = (count, one) => count > 0 && (count === 1 ? `The next ${one}.` : `The next ${count}: each ${one}.`);
  const words = [
    times(state.mails_to_fail, "mail fails"), times(state.replies_to_lose, "reply is lost"),
    times(state.processes_to_kill, "process that calls a backend is killed"),
    state.slow && "Each call of a backend takes 300 ms longer.",
    state.throttled.length > 0 && `Throttled: ${state.throttled.join(", ")}.`,
  ].filter(Boolean);
  find("#wishes").textContent = words.join(" ") || "All goes well.";
  find("#slow").setAttribute("aria-pressed", state.slow);
  find("#throttle").setAttribute("aria-pressed", state.throttled.includes(table.value));
  find("#faults-button").textContent = words.length ? `Make it go wrong (${words.length})` : "Make it go wrong";
  wishes = state;
}
let wishes;
const wish = async (wanted) => wished(await ask("faults", wanted));

find("#faults-button").addEventListener("click", async ({ currentTarget: button }) => {
  const panel = find("#faults");
  panel.hidden = !panel.hidden;
  button.setAttribute("aria-expanded", !panel.hidden);
  wished(await ask("faults"));
});
for (const button of document.querySelectorAll("[data-wish]")) {
  button.addEventListener("click", () => wish({ wish: button.dataset.wish }));
}
find("#slow").addEventListener("click", () => wish({ wish: "slow", on: !wishes.slow }));
find("#throttle").addEventListener("click", () => {
  const table = find("#table").value;
  wish({ wish: "throttle", table, on: !wishes.throttled.includes(table) });
});
find("#table").addEventListener("input", () => wished(wishes));
// What was to go wrong once has done so by now.
setInterval(async () => { if (!find("#faults").hidden) wished(await ask("faults")); }, 1500);

follow();
ask("faults").then(wished, () => {});
