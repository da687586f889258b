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
const unpack = async (table) => {
  const rest = table.parentElement.querySelector("script.rest");
  const bytes = Uint8Array.from(atob(rest.textContent), (letter) => letter.charCodeAt(0));
  const rows = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  table.tBodies[0].insertAdjacentHTML("beforeend", await new Response(rows).text());
  rest.remove();
  table.parentElement.querySelector(".more").remove();
};

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
      ...(full && "choices" in head.dataset ? { columnControl: [["searchList"]] } : {}),
    })),
  });
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
