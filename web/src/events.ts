/** Events go up: to whoever put the component where it is. */
export function fire(from: HTMLElement, name: string, detail?: unknown): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}

export type Notice = { text: string; variant: "success" | "neutral" | "danger" };

/** Says something in the corner of the page, and to a screen reader. */
export function notify(from: HTMLElement, text: string, variant: Notice["variant"] = "success"): void {
  fire(from, "notify", { text, variant } satisfies Notice);
}

/** The text in a field of Web Awesome, from its event. */
export const valueOf = (event: Event): string => (event.target as unknown as { value: string | null }).value ?? "";

/** Whether a switch of Web Awesome is on, from its event. */
export const checkedOf = (event: Event): boolean => (event.target as HTMLInputElement).checked;

/** Web Awesome's parts send the same events as the whole: only those of the element itself count. */
export const isOwn = (event: Event): boolean => event.target === event.currentTarget;
