import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, fromGeneration, toGeneration } from "./draft.ts";

const able = { maxCount: 4, negativePrompt: true, seed: true, qualities: ["low", "high"] };

test("what the profile cannot be asked for is not sent", () => {
  const draft = { ...EMPTY, prompt: "A fox", negativePrompt: "text", seed: "7", quality: "high", count: 9 };

  const sent = toGeneration(draft, { maxCount: 2 });

  assert.equal(sent.negativePrompt, "");
  assert.equal(sent.quality, "");
  assert.equal(sent.count, 2);
  assert.ok(!("seed" in sent));
});

test("trying again brings back every word", () => {
  const element = { name: "Tamsin", type: "character", role: "SUBJECT" as const, roleDescription: "left", description: "41" };
  const draft = { ...EMPTY, profile: "profiles/a", prompt: "A fox", negativePrompt: "text", seed: "7", quality: "high", elements: [element] };

  assert.deepEqual(fromGeneration(toGeneration(draft, able)), draft);
});

test("an element without a name stays at home", () => {
  const draft = { ...EMPTY, elements: [{ name: " ", type: "", role: "STYLE" as const, roleDescription: "", description: "" }] };

  assert.deepEqual(toGeneration(draft, able).elements, []);
});
