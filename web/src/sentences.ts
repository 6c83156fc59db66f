import type { ApiError, Reason } from "./errors";
import type { State } from "./messages";

type Words = string | ((error: ApiError) => string);

const wait = ({ retrySeconds }: ApiError): string =>
  retrySeconds ? `Try again in ${Math.ceil(retrySeconds)} seconds.` : "Try again in a moment.";

/** The first field that breaks its rule, by the last part of its path, and what the server said of it. */
function firstField({ fields }: ApiError): string | undefined {
  const [path, text] = Object.entries(fields)[0] ?? [];
  if (!path || !text) return text;
  const name = (path.split(".").at(-1) ?? "").replaceAll("_", " ");
  return text.toLowerCase().startsWith(name) ? text : `${name.charAt(0).toUpperCase()}${name.slice(1)}: ${text}`;
}

/** What the safety rules refused, whose rules they were, and what may help. */
function refusedContent({ metadata: { stage, categories, decider } }: ApiError): string {
  const whose = decider ? `The safety rules of ${decider}` : "The provider's safety rules";
  const what = stage === "output" ? "the picture that was drawn" : stage === "input" ? "what was asked" : "this";
  const why = categories ? ` (${categories.replaceAll("_", " ")})` : "";
  const next = stage === "output" ? "Try again, or put it in other words." : "Put it in other words and try again.";
  return `${whose} refused ${what}${why}. ${next}`;
}

/** What a reason means to the person in front of the screen, and what they can do about it. */
const SENTENCES: Record<Reason, Words> = {
  CALLER_UNKNOWN: "You are not signed in any more. Sign in again to go on.",
  CALLER_FORBIDDEN: "You are not allowed to do this here. Ask an owner of the project or an administrator.",
  RESOURCE_NOT_FOUND: "This does not exist, or it is not shared with you.",
  RESOURCE_EXISTS: "There is one of that name already. Choose another.",
  FIELD_INVALID: (error) => firstField(error) ?? "Something in the form is not right.",
  ETAG_STALE: "Someone else changed this in the meantime. Load it again, then make your change.",
  REQUEST_ID_REUSED: "This was sent before with other values. Try once more.",
  VALUE_LOCKED: "The server's environment holds this value, so it cannot be changed here.",
  RESOURCE_IN_USE: ({ metadata: { user } }) =>
    user ? `This is still used by ${user}, which has to go first.` : "This is still in use, so it cannot go.",
  GENERATION_OFF: "AI image generation is switched off. An administrator can switch it on.",
  PROFILE_DISABLED: "This profile is switched off. Choose another.",
  PROVIDER_DISABLED: "The provider of this profile is switched off. Choose another profile, or ask an administrator.",
  PROVIDER_INCOMPLETE: "The provider of this profile is not set up completely. An administrator can finish it.",
  KEY_MISSING: "The provider of this profile has no key yet. An administrator can add one.",
  KEY_REJECTED: "The provider did not accept our key. An administrator should replace it.",
  PROVIDER_UNPAID: "The provider's account has no credit left. An administrator can top it up.",
  CALL_FORBIDDEN:
    "The provider does not allow our key to do this. An administrator should look at its permissions and at the account.",
  CALL_REFUSED: (error) =>
    error.metadata["parameter"]
      ? `The provider did not accept the ${error.metadata["parameter"]}. Change it and try again.`
      : "The provider did not accept one of the values. Change something and try again.",
  MODEL_UNKNOWN: "The provider does not offer this model any more. Choose another profile.",
  CONTENT_REFUSED: refusedContent,
  PICTURE_REFUSED: "The provider did not accept a picture it was given. Try another one, or a smaller PNG or JPEG.",
  ADAPTATION_REFUSED: "This cannot be made exactly as you asked. Change it, or allow adaptations under More.",
  PROVIDER_RATE_LIMITED: (error) => `The provider is asked too much just now. ${wait(error)}`,
  PROVIDER_UNAVAILABLE: (error) =>
    error.metadata["status"]
      ? `The provider is busy or out of order just now. Nothing was made. ${wait(error)}`
      : "The provider cannot be reached just now. Nothing was made or billed. Try again.",
  PROVIDER_TIMED_OUT: "The provider took too long and gave up. Try again, or ask for a smaller or simpler picture.",
  ANSWER_LOST: "The provider took the work, but its answer never arrived. It may have billed for it.",
  ANSWER_UNUSABLE: "The provider answered with something that is not a picture. Try again, or another profile.",
  GENERATION_ENDED: "This has ended already; there is nothing left to stop.",
  GENERATION_EXPIRED: "This took too long and was given up. Try again.",
  TASK_PARKED: "This failed too often and was set aside. An administrator can look into it.",
  LEASE_TAKEN: "Another worker took this over.",
  IMAGE_REFUSED: ({ fields }) => {
    const rule = Object.values(fields)[0];
    return rule ? `A picture ${rule}.` : "This is not a picture that can be kept. Use a whole PNG, JPEG or WebP file.";
  },
  STORAGE_FULL: "The server's storage is full. Nothing was kept. Tell an administrator.",
  DEADLINE_TOO_SHORT: "There was not enough time to do this. Try again.",
  SERVICE_UNAVAILABLE: (error) => `A part of the server cannot be reached just now. ${wait(error)}`,
  TOO_MANY_TRIES: (error) => `Too many tries. ${wait(error)}`,
  UNREACHABLE: "The server cannot be reached. Check your connection.",
  UNEXPLAINED: "Something went wrong on the server. Try again; if it stays, tell an administrator.",
};

/** The sentence for an error. */
export function sentence(error: ApiError): string {
  const words = SENTENCES[error.reason] ?? SENTENCES.UNEXPLAINED;
  return typeof words === "string" ? words : words(error);
}

/** How a provider last did, in few words. */
const SETBACKS: Partial<Record<Reason, string>> = {
  KEY_MISSING: "No key",
  KEY_REJECTED: "Key rejected",
  PROVIDER_INCOMPLETE: "Not set up",
  PROVIDER_UNPAID: "Out of credit",
  CALL_FORBIDDEN: "Not allowed",
  CALL_REFUSED: "Wrong address",
  PROVIDER_RATE_LIMITED: "Asked too much",
  PROVIDER_UNAVAILABLE: "Not reached",
  PROVIDER_TIMED_OUT: "Took too long",
  ANSWER_LOST: "An answer was lost",
  ANSWER_UNUSABLE: "No usable answer",
};

export const setback = (reason: string | undefined): string => SETBACKS[reason as Reason] ?? "Failed";

/** How a generation is doing. */
export const STATES: Record<State, string> = {
  STATE_UNSPECIFIED: "",
  QUEUED: "Waiting to begin",
  RUNNING: "Drawing",
  SUCCEEDED: "Finished",
  PARTIALLY_SUCCEEDED: "Finished, with pictures missing",
  FAILED: "Failed",
  CANCELLED: "Stopped",
  EXPIRED: "Took too long",
  UNKNOWN: "The answer was lost",
};

/** Whether anything can still happen to it. */
export const isActive = (state: State | undefined): boolean => state === "QUEUED" || state === "RUNNING";
