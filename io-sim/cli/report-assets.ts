/**
 * Reads the files that a report is made of: its style and its script, each as one text.
 */
import { readFileSync } from "node:fs";
import { REPORT_PARTS, type ReportAssets } from "../export/html.ts";

/** The texts of the page. */
export function reportAssets(): ReportAssets {
  const { style, script } = REPORT_PARTS;
  return { style: style.map(textOf).join("\n"), script: script.map(textOf).join("\n") };
}

function textOf(name: string): string {
  return readFileSync(new URL(`../export/report/${name}`, import.meta.url), "utf8");
}
