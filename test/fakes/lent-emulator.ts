import { Secret } from '../../src/core/secret.ts'
import { type Emulator, startEmulator } from '../../src/sandbox/r2/emulator.ts'
import { connectS3 } from '../../src/services/s3/client.ts'

/** Buckets of one process: for two sandboxes side by side, and for some that are smaller. */
const BUCKETS = 80

interface Running {
  readonly emulator: Emulator
  readonly free: string[]
}

/** Those of this worker. They end with it: a start costs as much as many tests. */
const started: Promise<Running>[] = []

async function start(): Promise<Running> {
  const emulator = await startEmulator({ slots: BUCKETS })
  return { emulator, free: [...emulator.slots] }
}

/** Cloudflare's emulator with so many empty buckets; its process is shared by the tests of a worker. */
export async function lendEmulator(buckets: number): Promise<Emulator> {
  for (let nth = 0; ; nth += 1) {
    started[nth] ??= start()
    const { emulator, free } = await (started[nth] as Promise<Running>)
    if (free.length < buckets) continue
    const slots = free.splice(0, buckets)
    return {
      ...emulator,
      slots,
      async close(used = new Set(slots)) {
        await Promise.all([...used].map((slot) => empty(emulator, slot)))
        free.push(...slots)
      },
    }
  }
}

async function empty({ url, credentials }: Emulator, bucket: string): Promise<void> {
  const { accessKeyId, secretAccessKey } = credentials
  const s3 = connectS3({
    endpoint: `${url}/cdn-cgi/local/r2/s3`,
    bucket,
    key: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) },
  })
  for await (const page of s3.pages()) await s3.deleteMany(page.map(({ key }) => key))
}
