/** Where the reader is. Everything worth coming back to stands in the address. */
export type Place =
  | { page: "projects" }
  | { page: "project"; project: string; image?: string; generate: boolean; generation?: string }
  | { page: "admin"; profile?: string }
  | { page: "welcome" }
  | { page: "unknown" };

export function readPlace(url: URL | Location): Place {
  const parts = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const query = new URLSearchParams(url.search);
  const [first, id, tab] = parts;
  if (!first || (first === "projects" && !id)) return { page: "projects" };
  if (first === "projects" && id && (!tab || tab === "media") && parts.length <= 3) {
    const image = query.get("image") ?? undefined;
    const generation = query.get("generation") ?? undefined;
    return { page: "project", project: `projects/${id}`, image, generation, generate: query.has("generate") };
  }
  if (first === "admin" && (!id || id === "ai")) return { page: "admin", profile: query.get("profile") ?? undefined };
  if (first === "welcome") return { page: "welcome" };
  return { page: "unknown" };
}

/** Addresses of the pages. */
export const addresses = {
  projects: "/projects",
  admin: "/admin/ai",
  media: (project: string, query: Record<string, string> = {}) => {
    const search = new URLSearchParams(query).toString().replace(/=(?=&|$)/g, "");
    return `/${project}/media${search ? `?${search}` : ""}`;
  },
  profile: (id: string) => `/admin/ai?profile=${id}`,
};

/** Goes somewhere. `replace` leaves no trace in the history. */
export function go(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(history.state, "", to);
  else history.pushState({ inside: true }, "", to);
  dispatchEvent(new Event("popstate"));
}

/** Closes what an address opened: back to where the reader came from, if that was here. */
export function leave(to: string): void {
  if ((history.state as { inside?: boolean } | null)?.inside) history.back();
  else go(to, { replace: true });
}

/** Lets ordinary links move within the page. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link?.href || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname.startsWith("/v1/")) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
}
