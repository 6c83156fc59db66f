import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiError } from "./errors.ts";
import { sentence } from "./sentences.ts";

const error = (part: Partial<ApiError>) => ({ metadata: {}, fields: {}, message: "", ...part }) as ApiError;

test("a field that breaks its rule is named", () => {
  const said = sentence(error({ reason: "FIELD_INVALID", fields: { "generation.negative_prompt": "must be shorter" } }));

  assert.equal(said, "Negative prompt: must be shorter");
});

test("how long to wait is said when the server said it", () => {
  assert.match(sentence(error({ reason: "PROVIDER_RATE_LIMITED", retrySeconds: 12.2 })), /Try again in 13 seconds/);
  assert.match(sentence(error({ reason: "PROVIDER_RATE_LIMITED" })), /in a moment/);
});

test("a reason of a newer server still makes a sentence", () => {
  assert.match(sentence(error({ reason: "SOMETHING_NEW" as ApiError["reason"] })), /went wrong/);
});
