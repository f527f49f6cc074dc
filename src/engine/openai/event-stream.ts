/**
 * Server-sent events: bytes in whatever pieces the network makes of them, one call per event out. Characters cut in two,
 * lines ended by LF, CR or CRLF and comments that keep a connection open are all met in the wild.
 * Source: WHATWG HTML, "Server-sent events", parsing an event stream.
 */
import { malformed } from "./failure.ts";

/** An event is a token or a few; the last one of llama.cpp also repeats the prompt and the settings. */
const MAX_EVENT_CHARACTERS = 2 ** 24;

export interface EventParser {
  /** @throws {RequestFailure} when an event is longer than any server sends; what `onData` throws */
  push(piece: Uint8Array): void;
}

/** @param onData called with the data of each complete event, `[DONE]` included */
export function createEventParser(onData: (data: string) => void): EventParser {
  const decoder = new TextDecoder("utf-8");
  const lineEnds = /\r\n|\r|\n/g;
  let rest = "";
  /** The last piece ended with a carriage return: a line feed at the head of the next belongs to it. */
  let afterReturn = false;
  let data: string[] = [];
  let dataCharacters = 0;
  const takeLine = (line: string): void => {
    if (line === "") {
      const event = data;
      data = [];
      dataCharacters = 0;
      if (event.length > 0) onData(event.join("\n"));
      return;
    }
    // Comments begin with a colon; names, ids and waits say nothing about a response.
    if (line !== "data" && !line.startsWith("data:")) return;
    const value = line.slice(line[5] === " " ? 6 : 5);
    data.push(value);
    dataCharacters += value.length;
  };
  return {
    push(piece) {
      let text = decoder.decode(piece, { stream: true });
      if (text === "") return;
      const ends = text.endsWith("\r");
      if (afterReturn && text[0] === "\n") text = text.slice(1);
      afterReturn = ends;
      rest += text;
      let start = 0;
      lineEnds.lastIndex = 0;
      for (let end = lineEnds.exec(rest); end !== null; end = lineEnds.exec(rest)) {
        takeLine(rest.slice(start, end.index));
        start = lineEnds.lastIndex;
      }
      rest = rest.slice(start);
      if (rest.length + dataCharacters > MAX_EVENT_CHARACTERS)
        throw malformed(`events of at most ${MAX_EVENT_CHARACTERS} characters`);
    },
  };
}
