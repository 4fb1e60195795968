import { fewAtOnce } from '../../core/streams.ts'

const PART_BYTES = 5 * 1_048_576

/** What the parts are sent with; `Part` is what completing the upload needs to know of each. */
export interface PartSender<Part, Whole> {
  send(number: number, body: Uint8Array): Promise<Part>
  complete(parts: Part[]): Promise<Whole>
  abort(): Promise<unknown>
}

/** Of one upload. */
const PARTS_AT_ONCE = 4

/**
 * Sends a body in parts of 5 MiB, four at a time, the last one smaller; R2 wants all but the last of
 * one size. When a part or the completion fails, the upload is aborted, once no part is under way,
 * and the first error thrown.
 */
export async function uploadParts<Part, Whole>(
  body: Uint8Array,
  { send, complete, abort }: PartSender<Part, Whole>,
): Promise<Whole> {
  const parts: Part[] = []
  const sending = fewAtOnce(PARTS_AT_ONCE)
  try {
    for (let at = 0; at === 0 || at * PART_BYTES < body.length; at += 1) {
      const start = at * PART_BYTES
      await sending.begin(async () => {
        parts[at] = await send(at + 1, body.subarray(start, start + PART_BYTES))
      })
    }
    await sending.end()
    return await complete(parts)
  } catch (error) {
    await sending.end().catch(() => undefined)
    await abort().catch(() => undefined)
    throw error
  }
}
