"""The look of a report page, and the few lines of script that sort its tables."""

STYLE = """
:root { --bg: #ffffff; --ink: #1f2328; --muted: #5b6370; --rule: #d9dce1; --soft: #f4f5f7; --link: #0b5fa5;
  --warn-bg: #fff4e0; --warn-ink: #6b4300; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #15181c; --ink: #e6e8eb; --muted: #a0a8b3; --rule: #343a42; --soft: #1e2329; --link: #7db8f0;
    --warn-bg: #3a2d12; --warn-ink: #f3d9a4; --bad: #ff8a80; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
nav { padding: 1rem 1.5rem; background: var(--soft); border-bottom: 1px solid var(--rule); font-size: .9rem; }
nav ul { list-style: none; margin: .3rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
@media (min-width: 1360px) {
  nav { position: fixed; top: 0; left: 0; width: 235px; height: 100vh; overflow-y: auto; border: 0;
    border-right: 1px solid var(--rule); padding: 2rem 1.2rem; }
  nav ul { display: block; } nav li { margin: .35rem 0; }
  main { margin-left: max(260px, calc((100vw - 1080px) / 2)); } }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
p, ul { max-width: 78ch; } .lead { font-size: 1.05rem; color: var(--muted); }
code, pre { font: .86em/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
.tiles div { background: var(--soft); border: 1px solid var(--rule); border-radius: 6px;
  padding: .45rem .9rem; }
.tiles dt { font-size: .78rem; color: var(--muted); }
.tiles dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.warn { background: var(--warn-bg); color: var(--warn-ink); border-radius: 6px; padding: .5rem .9rem; }
.scroll { overflow-x: auto; margin: 1rem 0 .3rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .85rem .32rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; vertical-align: bottom;
  border-bottom: 2px solid var(--rule); }
td.num, th.num { text-align: right; white-space: nowrap; padding-left: .85rem; }
tbody tr:hover { background: var(--soft); }
table.plain th { color: var(--muted); font-weight: 500; white-space: nowrap; }
table.plain td { overflow-wrap: anywhere; min-width: 16rem; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.mark { color: var(--muted); margin-left: .15em; line-height: 0; }
.notes { font-size: .82rem; color: var(--muted); margin: .2rem 0 1rem; padding-left: 1.6rem; }
figure { margin: 1.4rem 0; } figcaption { font-size: .82rem; color: var(--muted); margin-top: .3rem; }
.card { background: #ffffff; border-radius: 6px; padding: .6rem; border: 1px solid var(--rule); }
.card svg, .card img { display: block; width: 100%; height: auto; }
.card svg * { stroke-linejoin: round; stroke-linecap: butt; }
details { border: 1px solid var(--rule); border-radius: 6px; padding: .5rem .9rem; margin: .5rem 0; }
summary { cursor: pointer; } .status { color: var(--bad); font-weight: 600; }
pre { overflow-x: auto; background: var(--soft); padding: .8rem; border-radius: 6px; }
@media print { nav { display: none; } main { margin: 0; max-width: none; }
  details, figure { break-inside: avoid; } }
"""

# sorts by data-v where there is one, undefined last; without scripts the tables stay as they are
SCRIPT = """
document.querySelectorAll("table.sortable").forEach(function (table) {
  var heads = table.tHead.rows[0].cells, body = table.tBodies[0];
  Array.prototype.forEach.call(heads, function (head, column) {
    var button = document.createElement("button");
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
      var numeric = head.classList.contains("num");
      if (!numeric && !head.hasAttribute("aria-sort")) { down = 1; }
      Array.prototype.forEach.call(heads, function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
      Array.prototype.slice.call(body.rows).sort(function (a, b) {
        var x = a.cells[column], y = b.cells[column];
        if (!numeric) { return down * x.textContent.localeCompare(y.textContent); }
        var p = parseFloat(x.dataset.v), q = parseFloat(y.dataset.v);
        if (isNaN(p) || isNaN(q)) { return isNaN(p) - isNaN(q); }
        return down * (p - q);
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
"""
