/** `polaris key`: the canonical key of expressions, and the form under it. */
import { Command, Option } from "commander";
import { isOpaque } from "../../math/ast.ts";
import { canonicalForm, canonicalKey } from "../../math/key.ts";
import { parse } from "../../math/parser.ts";

interface KeyCommandOptions {
  equations: "keep" | "rhs";
  json?: boolean;
}

export function createKeyCommand(): Command {
  return new Command("key")
    .description("Prints the canonical key of each expression: equal for equal mathematics, nothing else.")
    .argument("<expression...>", "LaTeX or plain mathematics")
    .addOption(
      new Option("--equations <mode>", "`keep` the left side of an equation, or only its right side")
        .choices(["keep", "rhs"])
        .default("keep"),
    )
    .option("--json", "print JSON lines")
    .action((expressions: string[], { equations, json }: KeyCommandOptions) => {
      for (const expression of expressions) {
        const key = canonicalKey(expression, { equationMode: equations });
        const form = canonicalForm(expression, { equationMode: equations });
        const opaque = isOpaque(parse(expression).root);
        process.stdout.write(
          json ? `${JSON.stringify({ expression, key, form, opaque })}\n` : `${key}  ${expression}\n`,
        );
      }
    });
}
