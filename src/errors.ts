/**
 * The base error and its categories. Every error a user can cause is one line: what, expected, got, where;
 * the optional hint names the next command. Misuse by a programmer stays a TypeError or a RangeError.
 */

/** Process exit codes, one per kind of failure. */
export const EXIT_CODE = {
  ok: 0,
  failed: 1,
  config: 2,
  data: 3,
  engine: 4,
  interrupted: 130,
} as const;

export interface PolarisErrorOptions {
  /** The next thing to do, as a command or a setting. */
  hint?: string;
  /** Machine-readable facts: file, line, row, tensor, status. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** Base of every error Polaris raises on purpose; `code` is stable and machine-readable. */
export class PolarisError extends Error {
  override name = "PolarisError";
  readonly code: string;
  readonly exitCode: number;
  readonly hint?: string;
  readonly details: Record<string, unknown>;

  constructor(code: string, exitCode: number, message: string, options: PolarisErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** A recipe, an option or an argument that cannot be used: exit code 2. */
export class ConfigError extends PolarisError {
  override name = "ConfigError";
  constructor(message: string, options?: PolarisErrorOptions) {
    super("config", EXIT_CODE.config, message, options);
  }
}

/** A file or a row that cannot be read: exit code 3. */
export class DataError extends PolarisError {
  override name = "DataError";
  constructor(message: string, options?: PolarisErrorOptions) {
    super("data", EXIT_CODE.data, message, options);
  }
}

/** A tensor file or a checkpoint folder that is incomplete, corrupt or of another architecture: exit code 3. */
export class CheckpointError extends PolarisError {
  override name = "CheckpointError";
  constructor(message: string, options?: PolarisErrorOptions) {
    super("checkpoint", EXIT_CODE.data, message, options);
  }
}

/** The engine failed or refuses what is asked of it: exit code 4. */
export class EngineError extends PolarisError {
  override name = "EngineError";
  readonly retryable: boolean;
  constructor(message: string, options: PolarisErrorOptions & { retryable?: boolean } = {}) {
    super("engine", EXIT_CODE.engine, message, options);
    this.retryable = options.retryable ?? false;
  }
}

/** The run folder or a store cannot be used: locked, unwritable, disk full, corrupt: exit code 1. */
export class StoreError extends PolarisError {
  override name = "StoreError";
  constructor(message: string, options?: PolarisErrorOptions) {
    super("store", EXIT_CODE.failed, message, options);
  }
}

/** The user asked to stop; what was finished is kept: exit code 130. */
export class InterruptedError extends PolarisError {
  override name = "InterruptedError";
  constructor(message: string, options?: PolarisErrorOptions) {
    super("interrupted", EXIT_CODE.interrupted, message, options);
  }
}
