const PART_BYTES = 5 * 1_048_576

/** What the parts are sent with; `Part` is what completing the upload needs to know of each. */
interface PartSender<Part> {
  send(number: number, body: Uint8Array): Promise<Part>
  complete(parts: Part[]): Promise<unknown>
  abort(): Promise<unknown>
}

/**
 * Sends a body in parts of 5 MiB, one after the other, the last one smaller; R2 wants all but the
 * last of one size. When a part or the completion fails, the upload is aborted and the first error
 * thrown.
 */
export async function uploadParts<Part>(
  body: Uint8Array,
  { send, complete, abort }: PartSender<Part>,
): Promise<void> {
  try {
    const parts: Part[] = []
    do {
      const start = parts.length * PART_BYTES
      parts.push(await send(parts.length + 1, body.subarray(start, start + PART_BYTES)))
    } while (parts.length * PART_BYTES < body.length)
    await complete(parts)
  } catch (error) {
    await abort().catch(() => undefined)
    throw error
  }
}
