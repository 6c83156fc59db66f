import assert from "node:assert/strict";
import { test } from "node:test";
import { addresses, readPlace } from "./router.ts";

const place = (path: string) => readPlace(new URL(path, "http://localhost"));

test("an open image, a generation and the form stand in the address", () => {
  assert.equal((place("/projects/atlas/media?image=7f") as { image?: string }).image, "7f");
  assert.equal((place("/projects/atlas/media?generation=9c") as { generation?: string }).generation, "9c");
  assert.equal((place("/projects/atlas/media?generate") as { generate: boolean }).generate, true);
});

test("a project without a tab is its media", () => {
  assert.deepEqual(place("/projects/atlas"), place("/projects/atlas/media"));
});

test("an address that is made is read back", () => {
  assert.equal(addresses.media("projects/atlas", { generate: "" }), "/projects/atlas/media?generate");
  assert.equal(addresses.media("projects/atlas", { image: "7f" }), "/projects/atlas/media?image=7f");
});

test("what is no page is unknown", () => {
  assert.equal(place("/nowhere").page, "unknown");
  assert.equal(place("/projects/atlas/secrets").page, "unknown");
});
