// A stream over a video that is decrypted elsewhere: while one block is used, the next are already asked for.

import { CHUNK_BYTES } from "./layout";

type Read = (offset: number, length: number) => Promise<Uint8Array>;

const BLOCK_CHUNKS = 4;
const IN_FLIGHT = 3;
/** So many single chunks first: the first picture waits for no byte that it does not need. */
const SINGLE_CHUNKS = 4;

/** What is authentic before a cut comes out before the error: a block that fails is asked for again chunk by chunk. */
export function readAhead(
  offset: number,
  plainSize: number,
  read: Read,
  verifyEnd: () => Promise<void>,
): ReadableStream<Uint8Array> {
  let blocks = blocksFrom(offset, plainSize);
  let asked: { block: Block; reading: Promise<Uint8Array> }[] = [];
  const askMore = (): void => {
    while (asked.length < IN_FLIGHT) {
      const block = blocks.next().value;
      if (!block) return;
      const reading = read(block.from, block.to - block.from);
      reading.catch(() => undefined); // told when its turn comes
      asked.push({ block, reading });
    }
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      askMore();
      const next = asked.shift();
      if (!next) {
        await verifyEnd();
        controller.close();
        return;
      }
      try {
        controller.enqueue(await next.reading);
      } catch (error) {
        const chunks = [...chunksOf(next.block)];
        if (chunks.length < 2) throw error;
        [blocks, asked] = [blocksFrom(next.block.to, plainSize), []];
        for (const { from, to } of chunks) controller.enqueue(await read(from, to - from));
      }
    },
  });
}

interface Block {
  from: number;
  to: number;
}

function* blocksFrom(offset: number, end: number): Generator<Block, undefined> {
  for (let from = offset, count = 0; from < end; count++) {
    const span = CHUNK_BYTES * (count < SINGLE_CHUNKS ? 1 : BLOCK_CHUNKS);
    const to = Math.min(end, from - (from % CHUNK_BYTES) + span);
    yield { from, to };
    from = to;
  }
}

function* chunksOf({ from, to }: Block): Generator<Block> {
  for (let at = from; at < to;) {
    const next = Math.min(to, at - (at % CHUNK_BYTES) + CHUNK_BYTES);
    yield { from: at, to: next };
    at = next;
  }
}
