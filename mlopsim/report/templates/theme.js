(function () {
  // in the head, so that a page does not flash; without a choice the system's theme holds
  var root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  function dark() { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; }
  function stored(theme) {
    // a browser may refuse storage to files; then a choice holds as long as the page is open
    try {
      if (theme) { localStorage.setItem("mlopsim-theme", theme); }
      return localStorage.getItem("mlopsim-theme");
    } catch (refused) { return null; }
  }
  var before = stored();
  if (before === "dark" || before === "light") { root.dataset.theme = before; }
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("theme");
    function name() { button.textContent = dark() ? "Light theme" : "Dark theme"; }
    button.hidden = false;
    name();
    system.addEventListener("change", name);
    button.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      stored(root.dataset.theme);
      name();
    });
  });
})();
