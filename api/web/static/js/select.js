// Ticking many rows: how many are ticked, all of the page at once, and a row's own button acts on that row alone.

/** @param {HTMLFormElement} form */
function boxes(form) {
  return /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[type=checkbox][name=id]")]);
}

/** @param {HTMLFormElement} form */
function count(form) {
  const picked = boxes(form).filter((box) => box.checked).length;
  const place = form.querySelector("[data-picked]");
  if (place instanceof HTMLElement) place.textContent = picked ? (place.dataset.words ?? "").replace("{n}", String(picked)) : "";
  for (const button of form.querySelectorAll("[data-act]")) button.toggleAttribute("disabled", picked === 0);
}

addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement)) return;
  const form = box.closest("form[data-select]");
  if (!(form instanceof HTMLFormElement)) return;
  if (box.hasAttribute("data-all")) for (const one of boxes(form)) one.checked = box.checked;
  count(form);
});

addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button[data-only]") : null;
  const form = button?.closest("form[data-select]");
  if (form instanceof HTMLFormElement) for (const box of boxes(form)) box.checked = false;
});

// On a phone the tools are folded away until they are asked for; the choice lasts as long as the page.
document.documentElement.dataset.tools = "folded";
addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || !event.target.closest("[data-unfold]")) return;
  const root = document.documentElement;
  root.dataset.tools = root.dataset.tools === "folded" ? "shown" : "folded";
});

for (const form of document.querySelectorAll("form[data-select]")) if (form instanceof HTMLFormElement) count(form);
document.addEventListener("htmx:afterSettle", () => {
  for (const form of document.querySelectorAll("form[data-select]")) if (form instanceof HTMLFormElement) count(form);
});
