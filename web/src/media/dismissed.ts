// Which ended generations the person has put out of the tray, in this browser.
const KEY = "dismissed-generations";
const MOST = 300;

function read(): string[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]") as string[];
  } catch {
    return []; // Storage is off, or holds something of another time.
  }
}

export const isDismissed = (name: string): boolean => read().includes(name);

export function dismiss(name: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([name, ...read()].slice(0, MOST)));
  } catch {
    // Then it comes back with the next visit.
  }
}
