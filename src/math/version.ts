/** The grader's version. Raised whenever a verdict or a key changes; stored with every score. */

/** Stored as `graderVersion` with each verdict; scores of different versions are not comparable. */
export const GRADER_VERSION = "math-1";
