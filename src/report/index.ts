/** The report of a run: one self-contained HTML page and a JSON summary with every number it shows. */
export type { ReportSummary } from "./summary.ts";
export { type WriteReportOptions, type WrittenReport, writeReport } from "./write-report.ts";
