"use strict";
const $ = (id) => document.getElementById(id);
const views = ["html", "text", "source"];
const narrow = matchMedia("(max-width: 640px)");

/** Every mail's row of the list, the newest first, by its id. */
let rows = new Map();
let open = null, view = "html";
/** What has been opened in this browser. */
const read = new Set(JSON.parse(localStorage.getItem("read") || "[]"));

const make = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });
const many = (count) => `${count} ${count === 1 ? "mail" : "mails"}`;

/** A header as people read it: `=?UTF-8?B?w4k=?=` is `É`. */
function decoded(header) {
  return header.replace(/(\?=)\s+(?==\?)/g, "$1").replace(/=\?([^?]+)\?([BQ])\?([^?]*)\?=/gi, (whole, charset, way, text) => {
    try {
      const quoted = () => text.replace(/_/g, " ").replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
      const bytes = way.toUpperCase() === "B" ? atob(text) : quoted();
      return new TextDecoder(charset).decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    } catch {
      return whole;
    }
  });
}

/** A sender without the quotation marks that the header needs. */
const senderOf = (from) => decoded(from).replace(/^"(.*)"(?= <[^>]*>$)/, "$1");

/** The name of a sender, or the address where there is none. */
const nameOf = (from) => senderOf(from).replace(/\s*<[^>]*>$/, "") || from;

function sentAt(moment) {
  const today = moment.toDateString() === new Date().toDateString();
  return today ? moment.toLocaleTimeString() : moment.toLocaleDateString();
}

function makeRow(mail) {
  const row = { ...mail, element: document.createElement("li"), link: make("a", "", "") };
  row.link.href = `#${mail.id}`;
  const about = `${nameOf(mail.from)}: ${mail.subject}`;
  const shown = make("span", "about", "");
  // A name that is written from the right turns nothing else around.
  shown.append(make("bdi", "", nameOf(mail.from)), ": ", make("bdi", "", mail.subject));
  row.link.append(make("span", "to", mail.to), shown);
  const side = make("div", "side", ""), time = make("time", "", sentAt(new Date(mail.sent_at)));
  time.dateTime = mail.sent_at;
  side.append(time);
  if (mail.code) {
    const code = make("button", "code", mail.code);
    code.title = `Copy ${mail.code}`;
    code.addEventListener("click", () => copy(mail.code, code));
    side.append(code);
  }
  row.element.append(row.link, side);
  row.link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(mail.id);
  });
  row.sought = `${mail.to} ${about} ${mail.code.replace(" ", "")}`.toLowerCase();
  return row;
}

const shown = () => [...rows.values()].filter((row) => !row.element.hidden);

/** Marks rows as found, read and open, and counts. Nothing is made anew. */
function mark() {
  const sought = $("search").value.trim().toLowerCase();
  const wanted = [sought, sought.replace(/(\d{4})[ -](\d{4})/, "$1$2")];
  let unread = 0, found = 0;
  for (const row of rows.values()) {
    row.element.hidden = !wanted.some((wanted) => row.sought.includes(wanted));
    found += row.element.hidden ? 0 : 1;
    const isNew = !read.has(row.id);
    unread += isNew ? 1 : 0;
    row.element.classList.toggle("unread", isNew);
    if (row.id === open) row.link.setAttribute("aria-current", "true");
    else row.link.removeAttribute("aria-current");
    const told = row.link.querySelector(".hidden-words");
    if (isNew && !told) row.link.prepend(make("span", "hidden-words", "Unread. "));
    if (!isNew) told?.remove();
  }
  // One of the rows is in the order of the Tab key; arrows lead to the others.
  const first = shown().find((row) => row.id === open) || shown()[0];
  for (const row of rows.values()) {
    for (const part of row.element.querySelectorAll("a, button")) part.tabIndex = row === first ? 0 : -1;
  }
  const all = many(rows.size) + (unread ? `, ${unread} unread` : "");
  $("state").textContent = sought ? `${found} of ${many(rows.size)}` : all;
  document.title = unread ? `(${unread}) Mailbox` : "Mailbox";
  $("clear").disabled = !rows.size;
  $("hint").hidden = Boolean(open);
  const gone = location.hash.length > 1 && !open;
  $("hint").classList.toggle("gone", gone);
  $("hint").textContent = gone ? "That mail is not here any more." : found ? "Choose a mail to read it."
    : rows.size ? "No mail is like this." : "No mail yet. Ask for a passcode and it appears here at once.";
}

async function draw() {
  const row = rows.get(open);
  $("reader").hidden = !row;
  document.querySelector("main").classList.toggle("reading", Boolean(row));
  if (!row) return;
  $("subject").textContent = row.subject;
  $("from").textContent = senderOf(row.from);
  $("to").textContent = row.to;
  for (const id of ["subject", "from", "to"]) $(id).title = $(id).textContent;
  $("sent").textContent = new Date(row.sent_at).toLocaleString();
  $("copy").hidden = !row.code;
  for (const name of views) {
    $(`tab-${name}`).setAttribute("aria-selected", String(name === view));
    $(`tab-${name}`).tabIndex = name === view ? 0 : -1;
  }
  $("view").setAttribute("aria-labelledby", `tab-${view}`);
  const path = `messages/${encodeURIComponent(row.id)}`;
  if (view === "html") {
    const frame = document.createElement("iframe");
    // Neither scripts nor links of a mail have any power here.
    frame.setAttribute("sandbox", "");
    frame.title = "The mail as HTML";
    frame.src = `${path}/html`;
    $("view").replaceChildren(frame);
    return;
  }
  const asked = view;
  const text = asked === "text" ? (await (await fetch(path)).json()).text : await (await fetch(`${path}/source`)).text();
  if (open === row.id && view === asked) $("view").replaceChildren(make("pre", asked, text));
}

/** Opens a mail, or closes the open one. Back leads to the list, and from there out of the mailbox. */
function show(id) {
  if (id === open) return;
  const at = id ? `#${id}` : location.pathname + location.search;
  if (!open && id) history.pushState({ fromList: true }, "", at);
  else if (!id && history.state?.fromList) return history.back();
  else history.replaceState(history.state, "", at);
  turnTo(id);
}

function turnTo(id) {
  open = id;
  if (id) remember([id]);
  mark();
  draw();
  rows.get(id)?.element.scrollIntoView({ block: "nearest" });
}

function remember(ids) {
  for (const id of ids) read.add(id);
  localStorage.setItem("read", JSON.stringify([...read].filter((id) => rows.has(id))));
}

function step(by) {
  const list = shown();
  if (!list.length) return;
  const at = list.findIndex((row) => row.id === open);
  const row = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
  show(row.id);
  if (!narrow.matches) row.link.focus();
}

async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  const before = button.textContent;
  if (before === "Copied") return;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function remove(id) {
  const list = shown(), at = list.findIndex((row) => row.id === id);
  const next = narrow.matches ? null : list[at + 1] || list[at - 1];
  await fetch(`messages/${encodeURIComponent(id)}`, { method: "DELETE" });
  show(next ? next.id : null);
  next?.link.focus();
}

function forget(id) {
  rows.get(id)?.element.remove();
  rows.delete(id);
}

/** Takes the whole list anew, as at first and after an interruption. */
async function load() {
  const mails = await (await fetch("rows")).json();
  rows = new Map(mails.map((mail) => [mail.id, rows.get(mail.id) || makeRow(mail)]));
  $("list").replaceChildren(...[...rows.values()].map((row) => row.element));
  remember([]);
}

async function take(change) {
  if (change.type === "added" && !rows.has(change.mail.id)) {
    const row = makeRow(change.mail);
    rows = new Map([[row.id, row], ...rows]);
    $("list").prepend(row.element);
  } else if (change.type === "deleted") {
    forget(change.id);
  } else if (change.type === "cleared") {
    [...rows.keys()].forEach(forget);
  } else if (change.type === "much") {
    await load();
  }
}

// One thing after another: what happens while the list is being fetched is put into it afterwards.
let doing = Promise.resolve();
const then = (work) => {
  doing = doing.then(work).then(() => {
    const linked = location.hash.slice(1) || null;
    if (open && !rows.has(open)) show(null);
    else if (linked !== open && rows.has(linked)) turnTo(linked);
    else mark();
  }).catch(unreachable);
};
const unreachable = () => { $("state").textContent = "The local system does not answer."; };

$("search").value = new URLSearchParams(location.search).get("to") || "";
$("search").addEventListener("input", mark);
$("help").addEventListener("click", () => $("keys").showModal());
$("clear").addEventListener("click", () => {
  $("question").textContent = `Delete all ${many(rows.size)}?`;
  $("ask").returnValue = "";
  $("ask").showModal();
});
$("ask").addEventListener("close", () => {
  if ($("ask").returnValue === "yes") fetch("messages", { method: "DELETE" });
});
$("copy").addEventListener("click", () => copy(rows.get(open).code, $("copy")));
$("link").addEventListener("click", () => copy(location.href, $("link")));
$("delete").addEventListener("click", () => remove(open));
$("back").addEventListener("click", () => show(null));

function change(to) {
  if (view === to) return;
  view = to;
  draw();
}
for (const name of views) $(`tab-${name}`).addEventListener("click", () => change(name));
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  change(views[(views.indexOf(view) + by + views.length) % views.length]);
  $(`tab-${view}`).focus();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input") || document.querySelector("dialog[open]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const reading = $("view").contains(event.target);
  if (event.key === "j" || (event.key === "ArrowDown" && !reading)) step(1);
  else if (event.key === "k" || (event.key === "ArrowUp" && !reading)) step(-1);
  else if (event.key === "/") $("search").focus();
  else if (event.key === "?") $("keys").showModal();
  else if (!open) return;
  else if ("123".includes(event.key)) change(views[event.key - 1]);
  else if (event.key === "c" && !$("copy").hidden) $("copy").click();
  else if (event.key === "Delete") remove(open);
  else if (event.key === "Escape") show(null);
  else return;
  event.preventDefault();
});
addEventListener("popstate", () => {
  const linked = location.hash.slice(1);
  turnTo(rows.has(linked) ? linked : null);
});
addEventListener("storage", (event) => {
  if (event.key !== "read") return;
  for (const id of JSON.parse(event.newValue || "[]")) read.add(id);
  mark();
});

const events = new EventSource("events");
events.addEventListener("open", () => then(load));
events.addEventListener("message", (event) => then(() => take(JSON.parse(event.data))));
events.addEventListener("error", unreachable);
