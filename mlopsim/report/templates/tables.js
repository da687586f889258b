// What DataTables is told about our tables: the rows stand in the page, with their values in data-order.
const { default: DataTable, set_or_remove_dark_class: followTheme } = globalThis.itables;
const FEW = 10, PAGE = 25;
followTheme();

// DataTables puts what is empty first; here the undefined is last, whichever way it is sorted
const last = (a, b) => isNaN(a) - isNaN(b);
DataTable.type("value", {
  className: "dt-type-numeric",
  order: {
    pre: (value) => (value ? Number(value) : NaN),
    asc: (a, b) => last(a, b) || a - b || 0,
    desc: (a, b) => last(a, b) || b - a || 0,
  },
});

// a column of lists, such as "labels, model", is filtered by each part of them
const LIST = ", ", controls = DataTable.ColumnControl.content;
const parted = (api) => new Proxy(api, { get: (target, name) => name !== "column" ? target[name] : (k) => {
  const column = target.column(k), fixed = column.search.fixed;
  column.search.fixed = (key, test) => fixed(key, typeof test === "function" ? (text) => text.split(LIST).some(test) : test);
  return column;
} });
controls.searchParts = {
  defaults: controls.searchList.defaults,
  init(config) {
    const api = this.dt(), own = Object.create(this, { dt: { value: () => parted(api) } });
    return controls.searchList.init.call(own, config);
  },
};
const choices = (table, k) => {
  if (!("lists" in table.tHead.rows[0].cells[k].dataset)) { return "searchList"; }
  const found = Array.from(table.tBodies[0].rows).flatMap((row) => row.cells[k].textContent.split(LIST));
  return { extend: "searchParts", options: [...new Set(found)].sort().map((part) => ({ label: part, value: part })) };
};

// a table of numbers, not of typeset intervals: value, low and high each in a column of its own
const parts = (head) => ("interval" in head.dataset ? ["", "_low", "_high"] : [""]).map((p) => head.dataset.name + p);
const values = (cell, head) => {
  if (!head.classList.contains("num")) { return [cell.textContent]; }
  const found = [cell.dataset.order];
  return "interval" in head.dataset ? [...found, cell.dataset.low || "", cell.dataset.high || ""] : found;
};
const csv = (file, table) => ({
  extend: "csv",
  text: "CSV",
  titleAttr: "the rows that are shown, as numbers",
  filename: file,
  footer: false,
  exportOptions: {
    customizeData: (data) => {
      const api = table(), heads = api.columns().header().toArray();
      data.header = heads.flatMap(parts);
      data.headerStructure = [data.header.map((title) => ({ title, colSpan: 1, rowSpan: 1 }))];
      data.body = api.rows({ search: "applied", order: "applied" }).nodes().toArray()
        .map((row) => heads.flatMap((head, k) => values(row.cells[k], head)));
    },
  },
});

// of a long table the later rows are packed: they are set by us, escaped as the others
const inflate = async (element) => {
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
};
const unpack = async (table) => {
  const rest = table.parentElement.querySelector("script.rest");
  table.tBodies[0].insertAdjacentHTML("beforeend", await inflate(rest));
  rest.remove();
  table.parentElement.querySelector(".more").remove();
};

// a click, or Enter, on the name of a method shows what is known of it; its address is #method=NAME
const dialog = document.getElementById("method"), HASH = "#method=";
const known = dialog ? inflate(document.getElementById("methods")).then(JSON.parse) : null;
const link = (api, heads) => {
  const k = heads.findIndex((head) => head.dataset.name === "method");
  if (!dialog || k < 0) { return; }
  const set = async () => {
    const { methods } = await known;
    api.rows({ page: "current" }).nodes().toArray().forEach((row) => {
      const cell = row.cells[k], name = cell.textContent;
      if (cell.firstElementChild || !Object.hasOwn(methods, name)) { return; }
      const anchor = document.createElement("a");
      anchor.href = HASH + encodeURIComponent(name);
      anchor.textContent = name;
      cell.replaceChildren(anchor);
    });
  };
  api.on("draw", set);
  set();
};
const element = (tag, text, name) => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) { made.className = name; }
  return made;
};
const place = (rank, of) => (rank ? `${rank} of ${of}` : "\u2013");
const show = async () => {
  if (!dialog || !location.hash.startsWith(HASH)) { return; }
  const { tasks, methods } = await known, name = decodeURIComponent(location.hash.slice(HASH.length));
  if (!Object.hasOwn(methods, name)) { return; }
  const method = methods[name];
  dialog.querySelector("h2").textContent = name;
  dialog.querySelector(".facts").replaceChildren(...method.facts.map(([key, value]) => {
    const pair = document.createElement("div");
    pair.append(element("dt", key.replaceAll("_", " ")), element("dd", value));
    return pair;
  }));
  dialog.querySelector(".note").textContent = method.note;
  dialog.querySelector(".command code").textContent = method.commands.join("\n");
  dialog.querySelector(".command").hidden = !method.commands.length;
  dialog.querySelector("tbody").replaceChildren(...method.places.map(([task, score, n, rank, of, alike, likes, cells, reason]) => {
    const row = document.createElement("tr");
    row.append(
      element("th", tasks[task]), element("td", place(rank, of), "num"), element("td", place(alike, likes), "num"),
      element("td", score, "num"), element("td", n, "num"), element("td", reason ? `${reason}. ${cells}` : cells),
    );
    row.cells[0].scope = "row";
    return row;
  }));
  if (!dialog.open) { dialog.showModal(); }
  dialog.scrollTop = 0;
};
if (dialog) {
  addEventListener("hashchange", show);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) { dialog.close(); } });
  dialog.addEventListener("close", () => { history.replaceState(null, "", location.href.split("#")[0]); });
  show();
}

const make = (table) => {
  const rows = Number(table.dataset.rows), heads = Array.from(table.tHead.rows[0].cells);
  // the first table is what the page is about
  const full = "main" in table.dataset || rows > FEW;
  if (rows === 0) { return; }
  const api = new DataTable(table, {
    autoWidth: false,
    orderClasses: false,
    order: [],
    paging: rows > PAGE,
    pageLength: PAGE,
    lengthMenu: [PAGE, 100, { label: "all", value: -1 }],
    layout: {
      topStart: full ? { search: { text: "_INPUT_", placeholder: "search" } } : null,
      topEnd: null,
      bottomStart: full ? "info" : null,
      bottomEnd: [...(rows > PAGE ? ["paging", "pageLength"] : []), { buttons: [csv(table.dataset.file, () => api)] }],
    },
    language: {
      info: "_START_ to _END_ of _TOTAL_ rows", infoEmpty: "no rows", infoFiltered: "(of _MAX_)",
      lengthMenu: "_MENU_ a page", zeroRecords: "no rows like that",
    },
    columnDefs: heads.map((head, k) => ({
      targets: k,
      type: head.classList.contains("num") ? "value" : "string-utf8",
      orderSequence: head.classList.contains("num") ? ["desc", "asc", ""] : ["asc", "desc", ""],
      ...(full && "choices" in head.dataset ? { columnControl: [[choices(table, k)]] } : {}),
    })),
  });
  link(api, heads);
  // what is wider than the page is scrolled in its box, by keys, too
  const box = table.parentElement;
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", table.getAttribute("aria-label"));
  const pages = api.table().container().querySelector("nav");
  if (pages) { pages.setAttribute("aria-label", `pages of ${table.getAttribute("aria-label")}`); }
  if (full) { api.table().container().querySelector("input[type=search]").setAttribute("aria-label", "search"); }
};

// a page of many long tables answers while the later ones are being made
const start = (table) => (table.parentElement.querySelector("script.rest") ? unpack(table).then(() => make(table)) : make(table));
document.querySelectorAll("table.data").forEach((table, k) => (k === 0 ? start(table) : setTimeout(start, 0, table)));
