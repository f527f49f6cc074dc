/**
 * Reverse-mode differentiation of a graph: walks the nodes backwards and lets each one's vector-Jacobian product
 * append the nodes of its gradient. First derivatives of one scalar only.
 */
import { add } from "./elementwise.ts";
import { describeShape, type Value } from "./graph.ts";

/**
 * Gradients of a scalar with respect to `parameters`, as new values of the same graph, in the same order.
 *
 * @param loss float32 scalar, shape []
 * @throws {TypeError} when the loss is not a scalar, a parameter does not reach it, or a node on the way has no derivative
 */
export function gradients(loss: Value, parameters: readonly Value[]): Value[] {
  const { graph } = loss;
  if (loss.shape.length !== 0)
    throw new TypeError(`gradients: expected a scalar loss, got ${describeShape(loss.shape)}`);
  const wanted = new Set(parameters.map((value) => value.name));
  // Only nodes that depend on a parameter are differentiated.
  const active = new Set(wanted);
  for (const node of graph.nodes)
    if (node.inputs.some((input) => active.has(input.name)))
      for (const output of node.outputs) active.add(output.name);
  const byName = new Map<string, Value>([[loss.name, graph.scalar(1)]]);
  for (const node of [...graph.nodes].reverse()) {
    const outputGradients = node.outputs.map((output) => byName.get(output.name) ?? null);
    if (outputGradients.every((gradient) => gradient === null)) continue;
    if (!node.inputs.some((input) => active.has(input.name))) continue;
    if (node.vjp === null) throw new TypeError(`gradients: operator ${node.operator} has no derivative`);
    const inputGradients = node.vjp(outputGradients);
    node.inputs.forEach((input, i) => {
      const gradient = inputGradients[i];
      if (!gradient || !active.has(input.name)) return;
      const sum = byName.get(input.name);
      byName.set(input.name, sum ? add(sum, gradient) : gradient);
    });
  }
  return parameters.map((parameter) => {
    const gradient = byName.get(parameter.name);
    if (!gradient) throw new TypeError(`gradients: "${parameter.name}" does not reach the loss`);
    return gradient;
  });
}
