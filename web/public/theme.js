// Runs before the first paint, so that a dark page never flashes white. `src/theme.ts` does the rest.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch (error) {
    // Storage is off; the system decides.
  }
  var dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.add(dark ? "wa-dark" : "wa-light");
})();
