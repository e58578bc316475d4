import type { components } from "./schema";

export type Fault = components["schemas"]["Fault"];

/** ApiError is a refusal in the API's words, or a request that got no answer. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly hint: string,
    readonly faults: Fault[],
    readonly requestId: string,
    readonly retryAfter: number | undefined,
  ) {
    super(detail);
  }

  /** fault returns what is wrong with a field, or with a part of it. */
  fault(field: string): string | undefined {
    return this.faults.find((fault) => fault.field === field || fault.field.startsWith(`${field}.`) || fault.field.startsWith(`${field}[`))
      ?.message;
  }
}

/** fromResponse reads a response that is not a success. It never fails: a proxy's page becomes an ApiError, too. */
export function fromResponse(response: Response, body: unknown): ApiError {
  const problem = isProblem(body) ? body : undefined;
  return new ApiError(
    response.status,
    problem?.code ?? "",
    problem?.detail ?? `the server answered with status ${response.status}`,
    problem?.hint ?? "",
    problem?.errors ?? [],
    response.headers.get("X-Request-Id") ?? "",
    Number(response.headers.get("Retry-After")) || undefined,
  );
}

/** refused reports whether an error is an answer that stays the same: not one of a busy server, and not the lack of one. */
export function refused(error: unknown): boolean {
  const { status } = asError(error);
  return status >= 400 && status < 500 && status !== 429;
}

/** The longest pause before something is asked for again, in milliseconds. */
const longest = 30_000;

/** later returns how many milliseconds to wait before what failed is asked for again, at least the given ones; undefined if it should not be. */
export function later(error: unknown, least: number): number | undefined {
  const { status, retryAfter = 0 } = asError(error);
  if (status !== 0 && status !== 429 && status < 502) return undefined;
  return Math.min(Math.max(least, retryAfter * 1000), longest);
}

/** unreachable is the error of a request without an answer. */
export function unreachable(): ApiError {
  return new ApiError(0, "unreachable", "the server cannot be reached", "Check the connection. Nothing that you entered is lost.", [], "", undefined);
}

/** unanswered is the error of a question that nobody has answered for long. */
export function unanswered(): ApiError {
  return new ApiError(0, "unanswered", "the server does not answer", "Check the connection.", [], "", undefined);
}

/** asError returns any thrown value as an ApiError. */
export function asError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) return unreachable();
  return new ApiError(0, "", error instanceof Error ? error.message : String(error), "", [], "", undefined);
}

function isProblem(body: unknown): body is components["schemas"]["Problem"] {
  return typeof body === "object" && body !== null && "detail" in body && typeof body.detail === "string";
}
