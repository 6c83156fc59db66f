/** Light or dark: what the reader chose here, else what their system says. */
export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | undefined {
  try {
    const value = localStorage.getItem("theme");
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined; // Storage may be switched off.
  }
}

export function currentTheme(): Theme {
  return chosen() ?? (system.matches ? "dark" : "light");
}

function show(): void {
  const theme = currentTheme();
  document.documentElement.classList.toggle("wa-dark", theme === "dark");
  document.documentElement.classList.toggle("wa-light", theme === "light");
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Then it holds until the page is left.
  }
  document.documentElement.classList.toggle("wa-dark", theme === "dark");
  document.documentElement.classList.toggle("wa-light", theme === "light");
}

system.addEventListener("change", show);
