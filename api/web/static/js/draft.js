// Keeps what is typed until the service has it: each form with a `data-draft` field is kept in this browser, with the
// key it will be sent under. A key that the service knows is done; everything else comes back into its field.

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
  return field.form?.querySelector("input[name=key]") ?? null;
}

const done = new Set((document.body.dataset.doneKeys ?? "").split(" "));
for (const field of document.querySelectorAll("textarea[data-draft]")) {
  if (!(field instanceof HTMLTextAreaElement)) continue;
  const name = field.dataset.draft ?? "";
  const draft = read(name);
  if (draft !== null && done.has(draft.key)) localStorage.removeItem(PREFIX + name);
  else if (draft !== null && field.value === "") {
    field.value = draft.text;
    const key = keyOf(field);
    if (key !== null && draft.key !== "") key.value = draft.key;
    field.closest("details")?.setAttribute("open", "");
  }
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
