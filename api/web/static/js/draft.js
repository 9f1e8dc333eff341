// Keeps what is typed until the service has it: each form with a `data-draft` field is kept in this browser, with the
// key it will be sent under. A key that the service knows is done; everything else comes back into its field.

import { shrunk } from "./photo.js";

const PREFIX = "draft:";

/** @typedef {{ text: string, key: string }} Draft */

/** @param {string} name @returns {Draft | null} */
function read(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? "null");
  } catch {
    return null; // written by something else; the field stays as the page has it
  }
}

/** @param {HTMLTextAreaElement} field */
function keep(field) {
  const name = field.dataset.draft ?? "";
  const key = keyOf(field)?.value ?? "";
  if (field.value.trim() === "") localStorage.removeItem(PREFIX + name);
  else localStorage.setItem(PREFIX + name, JSON.stringify({ text: field.value, key }));
}

/** @param {HTMLTextAreaElement} field @returns {HTMLInputElement | null} */
function keyOf(field) {
  return field.form?.querySelector("input[name=key], input[name=token]") ?? null;
}

/** Let go of everything that the service has, by the keys this page names. */
function forget() {
  const done = new Set((document.body.dataset.doneKeys ?? "").split(" ").filter(Boolean));
  for (const name of Object.keys(localStorage)) {
    const draft = name.startsWith(PREFIX) ? read(name.slice(PREFIX.length)) : null;
    if (draft !== null && done.has(draft.key)) localStorage.removeItem(name);
  }
}

forget();
for (const field of document.querySelectorAll("textarea[data-draft]")) {
  if (!(field instanceof HTMLTextAreaElement)) continue;
  const name = field.dataset.draft ?? "";
  const draft = read(name);
  if (draft !== null && field.value === "") {
    field.value = draft.text;
    const key = keyOf(field);
    if (key !== null && draft.key !== "") key.value = draft.key;
    field.closest("details")?.setAttribute("open", "");
  } else if (draft !== null) keep(field); // the page gave the words back, under a key of its own
  field.addEventListener("input", () => keep(field));
}

// The forms carry the version the person saw. When the live part shows another, say so before they send.
const live = document.querySelector("[data-version]");
const newer = document.querySelector("[data-newer]");
if (live instanceof HTMLElement && newer instanceof HTMLElement) {
  new MutationObserver(() => {
    const now = live.querySelector("[data-now-version]")?.getAttribute("data-now-version");
    newer.hidden = now === null || now === undefined || now === live.dataset.version;
  }).observe(live, { childList: true });
}

// A link to a folded form opens it.
function unfold() {
  const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();

for (const field of document.querySelectorAll("input[data-shrink]")) {
  if (!(field instanceof HTMLInputElement)) continue;
  field.addEventListener("change", async () => {
    const files = await Promise.all([...(field.files ?? [])].map((file) => shrunk(file).catch(() => file)));
    const held = new DataTransfer();
    for (const file of files) held.items.add(file);
    field.files = held.files;
    field.dataset.shrink = "done";
  });
}
