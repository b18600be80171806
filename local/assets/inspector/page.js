// What the home page and the inspector share.

/** An element with these attributes and children; a listener's name begins with `on`. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}

/** What the system answers, as JSON; its refusal becomes an error. */
export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  const reply = await fetch(`/inspector/${path}`, options);
  const text = await reply.text();
  const kind = reply.headers.get("content-type") ?? "";
  const answer = kind.includes("json") && text ? JSON.parse(text) : text;
  if (!reply.ok) throw new Error(answer.message ?? `${reply.status}`);
  return answer;
}

/** A request's route, or the path that was asked for where no route takes it. */
export function named({ route, target, path = target?.split("?")[0] ?? "" }) {
  return route.replace("$default", () => (path.length > 60 ? `${path.slice(0, 59)}…` : path));
}

/** A button that copies what `text()` gives, and says so for a moment. */
export function copyButton(label, text) {
  return element("button", {
    type: "button",
    async onclick({ currentTarget: button }) {
      try {
        await navigator.clipboard.writeText(await text());
        button.textContent = "Copied";
      } catch (error) {
        button.textContent = error.message;
      }
      setTimeout(() => { button.textContent = label; }, 1500);
    },
  }, label);
}

/** Links of the header to what else runs; the handout has the addresses. */
export async function links(nav) {
  const handout = await ask("handout").catch(() => null);
  if (!handout) return null;
  const pages = { "Demo site": handout.partner, Mailbox: handout.mail };
  for (const [name, address] of Object.entries(pages)) {
    if (address) nav.append(element("a", { href: `${address}/` }, name));
  }
  return handout;
}
