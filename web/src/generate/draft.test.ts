import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, NO_ELEMENT, fromGeneration, toGeneration } from "./draft.ts";

const able = { maxCount: 4, maxInputImages: 2, negativePrompt: true, seed: true, qualities: ["low", "high"] };

test("what the profile cannot be asked for is not sent", () => {
  const draft = { ...EMPTY, prompt: "A fox", negativePrompt: "text", seed: "7", quality: "high", count: 9, inputImages: ["projects/a/images/b"] };

  const sent = toGeneration(draft, { maxCount: 2 });

  assert.equal(sent.negativePrompt, "");
  assert.equal(sent.quality, "");
  assert.equal(sent.count, 2);
  assert.ok(!("seed" in sent));
  assert.deepEqual(sent.inputImages, []);
});

test("trying again brings back every word", () => {
  const element = {
    ...NO_ELEMENT,
    name: "Tamsin",
    type: "character",
    roleDescription: "left",
    description: "A ferrywoman",
    facts: "age: 41\nhair: grey, tied back",
    sendData: false,
  };
  const draft = { ...EMPTY, profile: "profiles/a", prompt: "A fox", negativePrompt: "text", seed: "7", quality: "high", inputImages: ["projects/a/images/b"], elements: [element] };

  assert.deepEqual(fromGeneration(toGeneration(draft, able)), draft);
});

test("an element without a name stays at home", () => {
  const draft = { ...EMPTY, elements: [{ ...NO_ELEMENT, name: " " }] };

  assert.deepEqual(toGeneration(draft, able).elements, []);
});

test("facts are sent by name, and those without one tell of the appearance", () => {
  const facts = "Hair: grey\n\n tall \nscar on one cheek\ntime: 12:30";
  const draft = { ...EMPTY, elements: [{ ...NO_ELEMENT, name: "Tamsin", facts }] };

  assert.deepEqual(toGeneration(draft, able).elements?.[0]?.data, {
    Hair: "grey",
    appearance: "tall, scar on one cheek",
    time: "12:30",
  });
});

test("nested data come back as lines", () => {
  const data = { clothing: { coat: "oilskin" }, palette: ["teal", "amber"], age: 41, none: null };
  const generation = { elements: [{ name: "Tamsin", data }] };

  assert.equal(fromGeneration(generation).elements[0]?.facts, "clothing.coat: oilskin\npalette: teal, amber\nage: 41");
});
