// Photos and words for a ticket go through the outbox: kept first, then sent, so that a dead network loses neither.
// Without IndexedDB the form is sent as it stands.

import { drop, flush, keep, newKey, ready, release, waiting } from "./outbox.js";
import { shrunk } from "./photo.js";

/** Photos that were chosen are kept at once, small, and held until the form is sent. @param {HTMLFormElement} form @param {HTMLInputElement} field */
async function hold(form, field) {
  const { group = "", photos = "" } = form.dataset;
  const files = [...(field.files ?? [])];
  field.value = "";
  for (const file of files) {
    const small = await shrunk(file).catch(() => file);
    const key = newKey();
    await keep({ key, group, url: `${photos}?key=${key}`, type: small.type || "image/jpeg", body: await small.arrayBuffer(), held: true });
  }
}

/** The words first, since they are small and arrive; then the photos. @param {HTMLFormElement} form @param {HTMLTextAreaElement} text @param {HTMLInputElement} key */
async function hand(form, text, key) {
  const { group = "", words = "" } = form.dataset;
  if (text.value.trim() !== "") {
    const body = JSON.stringify({ text: text.value, key: key.value });
    await keep({ key: key.value, group, url: words, type: "application/json", body, held: false });
    key.value = newKey();
    text.value = "";
    text.dispatchEvent(new Event("input", { bubbles: true })); // the draft has gone to the outbox
  }
  await release(group);
  await flush();
}

/** @param {HTMLFormElement} form */
function take(form) {
  const field = form.querySelector("input[type=file]");
  const text = form.querySelector("textarea");
  const key = form.querySelector("input[name=key]");
  if (!(field instanceof HTMLInputElement && text instanceof HTMLTextAreaElement && key instanceof HTMLInputElement)) return;
  let holding = hold(form, field);
  form.addEventListener("change", (event) => {
    if (event.target !== field) return;
    event.stopPropagation(); // no other module makes the file small a second time
    holding = holding.then(() => hold(form, field));
  }, { capture: true });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void holding.then(() => hand(form, text, key));
  });
  document.addEventListener("outbox:changed", () => void list(form));
  void list(form);
}

/** @type {string[]} */
let shown = [];

/** What of this ticket is not with the service yet. @param {HTMLFormElement} form */
async function list(form) {
  const place = form.querySelector("[data-kept]");
  if (!(place instanceof HTMLElement)) return;
  const entries = (await waiting()).filter((entry) => entry.group === form.dataset.group);
  for (const address of shown) URL.revokeObjectURL(address);
  shown = [];
  place.replaceChildren(...entries.map((entry) => row(entry, place)));
  place.hidden = entries.length === 0;
}

/** @param {import("./outbox.js").Entry} entry @param {HTMLElement} place */
function row(entry, place) {
  const line = document.createElement("li");
  if (typeof entry.body === "string") {
    const said = document.createElement("span");
    said.textContent = JSON.parse(entry.body).text;
    line.append(said);
  } else {
    const image = document.createElement("img");
    image.src = URL.createObjectURL(new Blob([entry.body], { type: entry.type }));
    image.alt = place.dataset.wordsPhoto ?? "";
    shown.push(image.src);
    line.append(image);
  }
  const state = document.createElement("span");
  state.className = "meta";
  state.textContent = entry.refused || ((entry.held ? place.dataset.wordsHeld : place.dataset.wordsWaiting) ?? "");
  line.append(state);
  if (entry.held || entry.refused) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn quiet";
    button.textContent = place.dataset.wordsDrop ?? "";
    button.addEventListener("click", () => void drop(entry.key));
    line.append(button);
  }
  return line;
}

for (const form of document.querySelectorAll("form[data-outbox-form]"))
  if (form instanceof HTMLFormElement) void ready().then(() => take(form), () => undefined);
