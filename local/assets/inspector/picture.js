// A request's story as a picture: who called whom, in order, and how long it took.

const made = (name, attributes, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

export const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** What a call is about, in short: its tables, and which of them for a budget, which stands beside the passcodes. */
export const tables = (call) => [...new Set(call.steps.map(({ table, key }) =>
  table && table.replace(/Table$/, "") + (`${key?.id}`.startsWith("budget/") ? " (budget)" : "")).filter(Boolean))].join(", ");

/** The steps of a story: from which lane to which, in words. */
function steps(story) {
  const list = [{ from: 0, to: 1, text: story.direction === "http" ? `${story.method} ${story.target}` : story.route }];
  if (story.function && story.event) {
    const start = story.cold ? ", its first request" : "";
    const waited = story.taken_ms == null ? "" : ` after ${ms(story.taken_ms)}`;
    list.push({ from: 1, to: 2, text: `event${waited}${start}` });
  }
  story.calls.forEach((call, index) => {
    const to = call.service === "ses" ? 4 : 3;
    const took = ms(call.ended_ms - call.started_ms);
    const about = call.service === "ses" ? "" : ` ${tables(call)}`;
    list.push({ from: 2, to, text: `${index + 1} ${call.action}${about} · ${took}`, wrong: call.status !== 200 || call.fault });
  });
  if (story.failure) list.push({ from: 2, to: 1, text: "no reply", back: true, wrong: true });
  else if (story.reply) list.push({ from: 2, to: 1, text: `reply at ${ms(story.replied_ms)}`, back: true });
  if (story.answer) {
    const { status, code } = story.answer;
    const text = status === 0 ? "the reply is lost" : `${status}${code ? ` ${code}` : ""} at ${ms(story.ended_ms)}`;
    list.push({ from: 1, to: 0, text, back: true, wrong: status === 0 || status >= 500 });
  }
  return list;
}

/** The picture, as wide as `width`. */
export function draw(story, width) {
  const [caller, gate] = { http: ["Caller", "Gateway"], invoke: ["Caller", "Lambda"], event: ["EventBridge", "Lambda"] }[story.direction];
  const lanes = [caller, gate, story.function ?? "", "DynamoDB", "SES"];
  if (!story.calls.some((call) => call.service === "ses")) lanes.pop();
  const all = steps(story);
  const room = width / lanes.length;
  const at = (lane) => room * (lane + 0.5);
  const line = 34;
  const height = 44 + all.length * line + 12;
  const picture = made("svg", {
    class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${all.map(({ from, to, text }) => `${lanes[from]} to ${lanes[to]}: ${text}`).join(". ")}.`,
  });
  lanes.forEach((name, lane) => {
    picture.append(made("line", { class: "life", x1: at(lane), y1: 34, x2: at(lane), y2: height }));
    // A long name is set in two lines, as on a telephone.
    const words = name.length * 7.5 > room ? name.split("-") : [name];
    const parts = words.length > 1 ? [words.slice(0, -1).join("-") + "-", words.at(-1)] : words;
    parts.forEach((part, index) => picture.append(made("text", {
      class: "strong", x: at(lane), y: parts.length > 1 ? 14 + index * 15 : 22, "text-anchor": "middle",
    }, part)));
  });
  const called = all.map(({ from, to }, index) => (from === 2 || to === 2 ? index : -1)).filter((index) => index >= 0);
  if (called.length > 1) {
    const [first, last] = [called[0], called.at(-1)];
    picture.append(made("rect", {
      class: "work", x: at(2) - 4, y: 44 + first * line + 20, width: 8, height: (last - first) * line, rx: 2,
    }));
  }
  all.forEach(({ from, to, text, back, wrong }, index) => {
    const y = 44 + index * line + 20;
    const forward = to > from ? 1 : -1;
    const [start, end] = [at(from) + (from === 2 ? 4 * forward : 0), at(to) - (to === 2 ? 4 * forward : 0)];
    const kind = wrong ? " wrong" : "";
    picture.append(
      made("line", { class: `arrow${back ? " back" : ""}${kind}`, x1: start, y1: y, x2: end - 7 * forward, y2: y }),
      made("path", { class: `head${kind}`, d: `M${end} ${y}l${-9 * forward} -4v8z` }),
    );
    // The words begin where the arrow does on the left, or end at the picture's edge.
    const left = Math.min(start, end) + 8;
    const letters = Math.floor((width - left) / 6.6);
    const needs = Math.min(text.length, Math.floor(width / 6.6));
    const x = letters >= needs ? left : Math.max(2, width - needs * 6.6);
    const fits = Math.floor((width - x) / 6.4);
    picture.append(made("text", { class: `small label${kind}`, x, y: y - 6 }, text.length > fits ? `${text.slice(0, fits - 1)}…` : text));
  });
  return picture;
}
