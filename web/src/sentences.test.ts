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

test("a refusal for its content says what was refused, why and by whom, as far as it is known", () => {
  assert.equal(
    sentence(error({ reason: "CONTENT_REFUSED", metadata: {} })),
    "The provider's safety rules refused this. Put it in other words and try again.",
  );
  assert.equal(
    sentence(
      error({ reason: "CONTENT_REFUSED", metadata: { stage: "output", categories: "self_harm", decider: "Google" } }),
    ),
    "The safety rules of Google refused the picture that was drawn (self harm). Try again, or put it in other words.",
  );
});

test("a busy provider is told from one out of reach", () => {
  assert.match(sentence(error({ reason: "PROVIDER_UNAVAILABLE", metadata: { status: "503" } })), /busy/);
  assert.match(sentence(error({ reason: "PROVIDER_UNAVAILABLE" })), /cannot be reached/);
});
