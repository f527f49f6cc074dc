import { expect, test } from "vitest";
import { scanNumeral } from "./numeral.ts";

test.each([
  ["1234", false, "1234", 4, false],
  ["1,234,567", false, "1234567", 9, true],
  ["1,234", true, "1", 1, false],
  ["1,23", false, "1", 1, false],
  ["1,7,103", false, "1", 1, false],
  ["100,200,3", false, "100", 3, false],
  ["0,123", false, "0", 1, false],
  ["1{,}234", true, "1234", 7, false],
  ["102\\,018", true, "102018", 8, false],
  ["11,\\! 111", true, "11111", 9, false],
  ["1 000", false, "1000", 5, false],
  ["3.14", false, "3.14", 4, false],
  [".5", false, ".5", 2, false],
  ["5.", false, "5", 1, false],
  ["0.1\\overline{6}", false, "0.1(6", 15, false],
  ["0.\\overline{36}", false, "0.(36", 15, false],
  ["4.46e19", false, "4.46e19", 7, false],
  ["1E-5", false, "1e-5", 4, false],
  ["2e^x", false, "2", 1, false],
])("%s (commas separate: %s)", (text, separates, digits, end, comma) => {
  expect(scanNumeral(text, 0, separates)).toEqual({ digits, end, comma });
});
