import type { Money, Quote } from "./messages";

/** The last part of a resource name. */
export const leaf = (name: string | undefined): string => name?.split("/").at(-1) ?? "";

export function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  const units = ["KB", "MB", "GB"];
  const power = Math.min(units.length, Math.floor(Math.log(count) / Math.log(1024)));
  const value = count / 1024 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[power - 1]}`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });

export function ago(time: string | undefined): string {
  if (!time) return "";
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step ? relative.format(Math.round(seconds / step[1]), step[0]) : "just now";
}

const date = new Intl.DateTimeFormat("en", { dateStyle: "long" });

export const day = (time: string): string => date.format(new Date(time));
export const when = (time: string | undefined): string => (time ? absolute.format(new Date(time)) : "");

function amount({ units, nanos }: Money): number {
  return Number(units ?? 0) + (nanos ?? 0) / 1e9;
}

function money(value: Money): string {
  const number = amount(value);
  const digits = number !== 0 && number < 0.1 ? 3 : 2;
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency: value.currencyCode || "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  }).format(number);
}

export const cost = (value: Money | undefined): string => (value ? money(value) : "");

/** What something will cost. Nobody knows is an answer; nothing is another. */
export function price(quote: Quote | undefined): string {
  if (!quote?.lowest && !quote?.highest) return "Price unknown";
  const low = quote.lowest ?? quote.highest;
  const high = quote.highest ?? quote.lowest;
  if (!low || !high) return "Price unknown";
  if (amount(high) === 0) return "Free of charge";
  return amount(low) === amount(high) ? money(high) : `${money(low)} – ${money(high)}`;
}

export type Shape = { ratio: number; label: string; name: string; detail: string };

const RATIOS: [number, string][] = [
  [1, "Square"],
  [16 / 9, "Widescreen"],
  [21 / 9, "Ultra-wide"],
  [3 / 2, "Landscape"],
  [4 / 3, "Landscape"],
  [5 / 4, "Landscape"],
];

function shapeName(ratio: number): string {
  const wide = Math.max(ratio, 1 / ratio);
  const [near, name] = RATIOS.reduce((best, entry) => (Math.abs(entry[0] - wide) < Math.abs(best[0] - wide) ? entry : best));
  if (Math.abs(near - wide) > 0.12) return ratio > 1 ? "Wide" : "Tall";
  return ratio < 0.98 ? (name === "Widescreen" || name === "Ultra-wide" ? "Tall" : "Portrait") : name;
}

/** How a size looks and reads: `WxH`, `A:B`, `A:B@NK` or `auto`. */
export function shape(size: string): Shape {
  const match = /^([\d.]+)([x:])([\d.]+)(?:@(.+))?$/.exec(size);
  if (!match) return { ratio: 1, label: "Auto", name: "Auto", detail: "Model decides" };
  const [, a = "1", sign, b = "1", resolution] = match;
  const ratio = Number(a) / Number(b);
  const label = sign === "x" ? `${a} × ${b}` : resolution ? `${a}:${b} @ ${resolution}` : `${a}:${b}`;
  return { ratio, label, name: shapeName(ratio), detail: label };
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
