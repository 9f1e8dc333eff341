// What a pane shows beside its lines: the normal band and silences behind them, limits before them.

/**
 * @typedef {import("uplot")} Plot
 * @typedef {import("./trends.js").PaneDrawing} PaneDrawing
 */

/** @param {string} name */
function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The band in which the value normally lies, then hatching. @param {Plot} u @param {PaneDrawing} pane @param {{from: number, to: number}[]} silent seconds */
export function drawBehind(u, pane, silent) {
  const { left, top, width, height } = u.bbox;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  if (pane.band) {
    const [low, high] = pane.band.map((value) => u.valToPos(value, "y", true));
    ctx.globalAlpha = 0.6;
    ctx.fillStyle = token("--track");
    ctx.fillRect(left, /** @type {number} */ (high), width, /** @type {number} */ (low) - /** @type {number} */ (high));
  }
  ctx.globalAlpha = 0.6;
  ctx.strokeStyle = token("--hatch");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const { from, to } of silent) hatch(ctx, u.valToPos(from, "x", true), u.valToPos(to, "x", true), top, height);
  ctx.restore();
}

/** Lines at 45 degrees over a stretch; in step whatever the stretch, so that neighbours look like one. @param {CanvasRenderingContext2D} ctx @param {number} x0 @param {number} x1 @param {number} top @param {number} height */
function hatch(ctx, x0, x1, top, height) {
  const apart = 8 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x0, top, x1 - x0, height);
  ctx.clip();
  ctx.beginPath();
  for (let x = Math.floor((x0 - height) / apart) * apart; x < x1; x += apart) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Limits as dashes with their names. @param {Plot} u @param {PaneDrawing} pane */
export function drawBefore(u, pane) {
  const { left, top, width } = u.bbox;
  const ratio = devicePixelRatio;
  const { ctx } = u;
  ctx.save();
  ctx.font = `${13 * ratio}px ${token("--font")}`;
  ctx.textBaseline = "alphabetic";
  let above = -Infinity;
  for (const limit of [...pane.limits].sort((a, b) => a.y - b.y)) {
    const y = top + limit.y * ratio;
    const colour = token(limit.severity ? `--p${limit.severity}-ink` : "--ink-3");
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.6 * ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = token("--surface");
    ctx.fillStyle = colour;
    const under = limit.y < 20 ? 14 * ratio : -5 * ratio;
    // Two limits close together have their names on different sides.
    const right = limit.y - above < 16;
    above = right ? above : limit.y;
    ctx.textAlign = right ? "right" : "left";
    const x = right ? left + width - 8 * ratio : left + 8 * ratio;
    const text = limit.name && !right ? `${limit.label} · ${limit.name}` : limit.label;
    ctx.strokeText(text, x, y + under);
    ctx.fillText(text, x, y + under);
  }
  ctx.restore();
}
