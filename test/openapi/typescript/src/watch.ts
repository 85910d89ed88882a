// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

/** One line of the answer to a watch, whose type and object are those of a generated client. */
export interface WatchEvent<T> {
  type: string;
  object: T;
}

/** Yields what happens, from the body of the answer to a watch: a JSON document a line. */
export async function* events<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<WatchEvent<T>> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = JSON.parse(line) as WatchEvent<T>;
        if (event.type === 'ERROR') throw new Error(`watch: ${JSON.stringify(event.object)}`);
        yield event;
      }
    }
  } finally {
    await reader.cancel(); // ends the request when nobody reads on
  }
}
