// Makes the panel's pages more comfortable; each of them works without it.

const announce = (text) => {
  const results = document.getElementById("results");
  results.replaceChildren(Object.assign(document.createElement("p"), { className: "notice good", textContent: text }));
};

// Times come in UTC, and are shown in the zone of the one who looks at them.
const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const hourly = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const localTimes = (root) => {
  for (const tick of root.querySelectorAll("[data-time]")) tick.textContent = hourly.format(new Date(tick.dataset.time));
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = zoned.format(new Date(time.dateTime));
  }
};

const copyButtons = (root) => {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
};

// Fields that mean something only with a certain choice: data-when="kind=api odata"; never hidden
// while something in them is wrong. What they hold is sent all the same.
const dependents = (root) => {
  for (const part of root.querySelectorAll("[data-when]")) {
    const [name, values] = part.dataset.when.split("=");
    const field = part.closest("form").elements[name];
    const isWrong = part.querySelector("[aria-invalid]") !== null;
    const update = () => { part.hidden = !isWrong && !values.split(" ").includes(field.value); };
    field.addEventListener("change", update);
    update();
  }
};

const prepare = (root) => {
  localTimes(root);
  copyButtons(root);
  dependents(root);
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    announce("Copied.");
  }
  const link = event.target.closest("a[data-popup]");
  if (link && window.open(link.href, "gateway-sign-in", "popup,width=560,height=720")) event.preventDefault();
});

// The page at the end of a sign-in tells it (functions/pages/result.js).
new BroadcastChannel("gateway-sign-in").addEventListener("message", (event) => {
  document.body.dispatchEvent(new CustomEvent("signin", { detail: event.data }));
});

// A page that nobody looks at asks for nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[hx-trigger^=every]")) event.preventDefault();
});

// A page that is being left asks for no more parts of itself: they would be cut short.
let leaving = false;
window.addEventListener("submit", (event) => { leaving = !event.defaultPrevented; });
window.addEventListener("pageshow", () => { leaving = false; });
document.addEventListener("htmx:beforeRequest", (event) => { if (leaving) event.preventDefault(); });

document.addEventListener("htmx:afterSwap", (event) => prepare(event.detail.elt));
prepare(document);
document.querySelector("[data-focus]")?.focus();
