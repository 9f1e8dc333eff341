"""What must be true of every page as it is drawn: measured in the browser, not in the HTML."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "api" / "web" / "node_modules" / "axe-core" / "axe.min.js"
_HAN = re.compile(r"[\u3400-\u9fff]")

_TOFU = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 48;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const drawn = (sign) => {
    pen.clearRect(0, 0, 48, 48);
    pen.font = `32px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillText(sign, 4, 36);
    return pen.getImageData(0, 0, 48, 48).data.join("");
  };
  const blank = drawn(" "), none = drawn("\\u{10FFFF}");
  const signs = new Set([...document.body.innerText].filter((sign) => sign.codePointAt(0) > 127 && sign.trim()));
  return [...signs].filter((sign) => { const seen = drawn(sign); return seen === blank || seen === none; });
}"""

_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((part) => part.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((part) => `${part.tagName}.${part.className}`);
}"""

_SMALL = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((part) => {
    const box = part.getBoundingClientRect();
    if (!box.width || !box.height || part.closest("p, .prose, .skip, .hidden-text, .timeline")) return false;
    if (part.matches(".skip, .hidden-text, [aria-hidden=true], .chip input, label input")) return false;
    const after = getComputedStyle(part, "::after");
    if (part.matches(".cover") && after.position === "absolute") return false;
    return box.height < 43.5;
  }).map((part) => {
    const height = Math.round(part.getBoundingClientRect().height);
    return `${part.tagName} ${part.className} ${part.textContent.trim().slice(0, 20)} ${height}px`;
  })"""

_BARE_MARKS = """() => [...document.querySelectorAll(".sev")]
  .filter((mark) => !mark.querySelector("svg.shape") || !(mark.textContent.trim() || mark.closest(".kv, .named")))
  .map((mark) => mark.outerHTML.slice(0, 120))"""


def tofu(page: Page) -> list[str]:
    """Signs on the page that the browser can only draw as an empty box, or not at all."""
    return list(page.evaluate(_TOFU))


def sideways(page: Page) -> list[str]:
    """Parts that make the page scroll sideways."""
    return list(page.evaluate(_WIDE))


def too_small(page: Page) -> list[str]:
    """Things to touch that a glove will miss (under 44 px)."""
    return list(page.evaluate(_SMALL))


def bare_marks(page: Page) -> list[str]:
    """Severity marks without their shape or word: what a photocopier or a colour-blind eye would lose."""
    return list(page.evaluate(_BARE_MARKS))


def chinese(page: Page, allowed: tuple[str, ...]) -> list[str]:
    """Chinese left on an English page, but for names that people and places have."""
    text = page.inner_text("body")
    for name in allowed:
        text = text.replace(name, "")
    return [line.strip() for line in text.splitlines() if _HAN.search(line)]


def barriers(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{item['id']}: {item['help']} ({item['nodes'][0]['html'][:120]})"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]
