import { publicWebChecks } from '../../../src/check/areas/public-web.ts'
import { openDoor } from '../../../src/check/areas/storage-door.ts'
import { sharedLook } from '../../../src/core/once.ts'
import type { WebRequest } from '../../../src/services/public-web/port.ts'
import type { Answer } from '../../fakes/fake-web.ts'
import { type Arranged, bucketWorld } from './bucket-world.ts'
import { verdictsOf } from './verdicts.ts'

type Fakes = ReturnType<typeof bucketWorld>
export type Alter = (answer: Answer, request: WebRequest, path: string) => Answer

/** Healthy: nothing is remembered as absent, and the private folders are blocked. */
export async function examine(
  arranged: Arranged = {},
  alter: Alter = (answer) => answer,
  arrange: (fakes: Fakes) => void = () => {},
) {
  const fakes = bucketWorld(arranged)
  const { alter: healthy } = fakes.web
  fakes.web.alter = (answer, request, url) => {
    const { pathname } = new URL(url)
    const blocked = /^\/(backups|imports)\//.test(pathname) ? { ...answer, status: 403 } : answer
    const uploaded = fakes.s3.objects.has(pathname.slice(1))
    const early = pathname.includes('-early') && uploaded ? { ...blocked, status: 200 } : blocked
    return alter(healthy(early, request, url), request, pathname)
  }
  arrange(fakes)
  const found = await verdictsOf(publicWebChecks(sharedLook(openDoor)), fakes.world)
  return { ...fakes, found }
}

export const isImage = (path: string) => path.endsWith('.png') && !path.includes('-early')
