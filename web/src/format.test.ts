import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, price, shape } from "./format.ts";

const dollars = (units: string, nanos = 0) => ({ currencyCode: "USD", units, nanos });

test("an absent price is unknown and never nothing", () => {
  assert.equal(price(undefined), "Price unknown");
  assert.equal(price({}), "Price unknown");
});

test("a price of zero is free", () => {
  assert.equal(price({ lowest: dollars("0"), highest: dollars("0") }), "Free of charge");
});

test("a price is a range unless both ends are the same", () => {
  assert.equal(price({ lowest: dollars("0", 5_000_000), highest: dollars("0", 210_000_000) }), "$0.005 – $0.21");
  assert.equal(price({ lowest: dollars("1", 500_000_000), highest: dollars("1", 500_000_000) }), "$1.50");
});

test("every spelling of a size has a shape", () => {
  assert.deepEqual(shape("1024x1536"), { ratio: 1024 / 1536, label: "1024 × 1536", name: "Portrait", detail: "1024 × 1536" });
  assert.equal(shape("16:9@2K").label, "16:9 @ 2K");
  assert.equal(shape("9:16").name, "Tall");
  assert.equal(shape("auto").label, "Auto");
});

test("sizes of files are read in their own unit", () => {
  assert.equal(bytes(512), "512 bytes");
  assert.equal(bytes(1_258_291), "1.2 MB");
});

test("times are told from now", () => {
  assert.equal(ago(new Date().toISOString()), "just now");
  assert.equal(ago(new Date(Date.now() - 3 * 86_400_000).toISOString()), "3 days ago");
});
