/**
 * One ONNX Runtime session over an encoded graph: feeds typed arrays in place, returns typed arrays.
 * The only file that names onnxruntime-node; the version is pinned because the binding's copying rules differ by release.
 */
import * as ort from "onnxruntime-node";
import { EngineError } from "../../../errors.ts";
import type { Graph } from "../graph/graph.ts";

/** Warnings about unused initializers are noise; errors are raised anyway. */
const LOG_SEVERITY_ERROR = 3;

export type FeedArray = Float32Array | Int32Array | BigInt64Array;

/** A tensor fed to a session; `data` is used in place, not copied. */
export interface Feed {
  data: FeedArray;
  shape: readonly number[];
}

export interface GraphSession {
  /** Runs the graph. Blocks the thread it runs on. @throws {EngineError} when ONNX Runtime refuses */
  run(feeds: Record<string, Feed>): Promise<Record<string, Float32Array | Int32Array>>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Threads inside one operator. */
  threads: number;
}

/** Tensors of feeds that are used again and again, such as parameters. */
const tensors = new WeakMap<Feed, ort.Tensor>();

function tensorOf(feed: Feed): ort.Tensor {
  let tensor = tensors.get(feed);
  if (!tensor) {
    tensor = createTensor(feed);
    tensors.set(feed, tensor);
  }
  return tensor;
}

function createTensor({ data, shape }: Feed): ort.Tensor {
  if (data instanceof Float32Array) return new ort.Tensor("float32", data, shape);
  if (data instanceof Int32Array) return new ort.Tensor("int32", data, shape);
  return new ort.Tensor("int64", data, shape);
}

/** Compiles a graph. @throws {EngineError} when ONNX Runtime cannot be loaded or refuses the graph */
export async function openSession(graph: Graph, options: SessionOptions): Promise<GraphSession> {
  const required = graph.requiredInputs();
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(graph.encode(), {
      executionProviders: ["cpu"],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      logSeverityLevel: LOG_SEVERITY_ERROR,
    });
  } catch (cause) {
    throw new EngineError(`graph "${graph.name}" was refused by ONNX Runtime: ${(cause as Error).message}`, {
      cause,
    });
  }
  return {
    async run(feeds) {
      const inputs: Record<string, ort.Tensor> = {};
      for (const name of required) {
        const feed = feeds[name];
        if (!feed) throw new TypeError(`graph "${graph.name}": input "${name}" is not fed`);
        inputs[name] = tensorOf(feed);
      }
      try {
        const results = await session.run(inputs);
        const arrays: Record<string, Float32Array | Int32Array> = {};
        for (const [name, tensor] of Object.entries(results))
          arrays[name] = tensor.data as Float32Array | Int32Array;
        return arrays;
      } catch (cause) {
        throw new EngineError(`graph "${graph.name}" failed: ${(cause as Error).message}`, { cause });
      }
    },
    close: () => session.release(),
  };
}
