import type { ErrorReasonJson, Status } from "./messages";

/** Why something failed: a reason of the contract, or one of the two that only a client meets. */
export type Reason = Exclude<ErrorReasonJson, "ERROR_REASON_UNSPECIFIED"> | "UNREACHABLE" | "UNEXPLAINED";

type Detail = {
  "@type"?: string;
  reason?: Reason;
  metadata?: Record<string, string>;
  fieldViolations?: { field?: string; description?: string }[];
  retryDelay?: string;
};

/** What the server said went wrong. */
export class ApiError extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
    readonly metadata: Record<string, string> = {},
    readonly fields: Record<string, string> = {},
    readonly retrySeconds?: number,
  ) {
    super(message);
  }

  /** What is wrong with a field, whose path may begin with the resource (`profile.title`) and is spelled as in the proto. */
  field(name: string): string {
    const match = Object.entries(this.fields).find(([path]) => path.replace(/^[a-z_]+\.|\[.*$/g, "") === name || path === name);
    return match?.[1] ?? "";
  }
}

/** Reads a `google.rpc.Status`, from an answer's body or a generation that ended badly. */
export function readStatus(status: Pick<Status, "message" | "details">): ApiError {
  const details = (status.details ?? []) as Detail[];
  const info = details.find((detail) => detail["@type"]?.endsWith("ErrorInfo"));
  const violations = details.flatMap((detail) => detail.fieldViolations ?? []);
  const delay = details.find((detail) => detail.retryDelay)?.retryDelay;
  return new ApiError(
    info?.reason ?? "UNEXPLAINED",
    status.message ?? "",
    info?.metadata,
    Object.fromEntries(violations.map(({ field, description }) => [field ?? "", description ?? ""])),
    delay ? parseFloat(delay) : undefined,
  );
}

/** Whatever was thrown, as an ApiError; anything else is a bug and goes on. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}
