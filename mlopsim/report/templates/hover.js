// A transparent plot of Bokeh over a figure, made when it is first pointed at: it says what the points are.
const unpacked = async (element) => {
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
};
let loading = null;
const bokeh = () => (loading ??= unpacked(document.getElementById("bokeh")).then((source) => {
  // the policy allows this very text
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
  return globalThis.Bokeh;
}));

const lay = async (card) => {
  const points = JSON.parse(await unpacked(card.querySelector("script.points"))), Bokeh = await bokeh();
  const model = (name, given) => new (Bokeh.Models.get(name))(given);
  const end = () => model("Range1d", { start: 0, end: 1 });
  const dot = (look) => model("Scatter", { x: { field: "x" }, y: { field: "y" }, size: 13, line_width: 2, ...look });
  const renderer = model("GlyphRenderer", {
    data_source: model("ColumnDataSource", { data: points }),
    glyph: dot({ fill_alpha: 0, line_alpha: 0 }),
    hover_glyph: dot({ fill_alpha: 0, line_alpha: 1, line_color: "#b3261e" }),
  });
  const hover = model("HoverTool", {
    renderers: [renderer],
    // the texts are set as texts, each in a box of its own; of many points in one place a few
    tooltips: [["", "@text"]],
    limit: 6,
    attachment: "horizontal",
  });
  const plot = model("Plot", {
    x_range: end(), y_range: end(), renderers: [renderer], toolbar: model("Toolbar", { tools: [hover] }), toolbar_location: null,
    sizing_mode: "stretch_both", min_border: 0, outline_line_color: null,
    background_fill_color: null, border_fill_color: null,
  });
  const file = new (Bokeh.require("document").Document)();
  file.add_root(plot);
  await Bokeh.embed.add_document_standalone(file, card.querySelector(".layer"));
  card.dataset.told = points.text.length;
};
document.querySelectorAll("figure.told .card").forEach((card) => {
  const start = () => { if (!card.dataset.told) { card.dataset.told = "soon"; lay(card); } };
  card.addEventListener("pointerenter", start, { once: true });
  card.addEventListener("touchstart", start, { once: true, passive: true });
});
