import { registerIconLibrary } from "@awesome.me/webawesome/dist/components/icon/library.js";

const files = import.meta.glob<string>("./icons/*.svg", { query: "?url", import: "default", eager: true });

// What Web Awesome's own parts ask for, where our name differs.
const SYSTEM: Record<string, string> = { xmark: "close", "circle-xmark": "close", indeterminate: "minus" };

const resolver = (name: string): string =>
  files[`./icons/${SYSTEM[name] ?? name}.svg`] ?? files["./icons/fallback.svg"] ?? "";

/** Both libraries are ours, so that no icon comes from elsewhere or from a `data:` address. */
export function registerIcons(): void {
  registerIconLibrary("default", { resolver });
  registerIconLibrary("system", { resolver });
}
