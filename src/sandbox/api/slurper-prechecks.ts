import type {
  ConnectivityPrecheckSourceResponse,
  ConnectivityPrecheckTargetResponse,
} from 'cloudflare/resources/r2/super-slurper/connectivity-precheck'
import { ok } from './envelope.ts'
import { bodyObject, type Handler } from './request.ts'
import { readSource, readTarget } from './slurper-body.ts'

/** Whether a job could read there; why not is not told. */
export const precheckSource: Handler = async ({ slurper }, request) => {
  const place = readSource(bodyObject(request), slurper.switches.plainHttp)
  const connectivityStatus = (await slurper.reaches(place, 'read')) ? 'success' : 'error'
  return ok<ConnectivityPrecheckSourceResponse>({ connectivityStatus })
}

/** Whether a job could write there. */
export const precheckTarget: Handler = async ({ slurper }, request) => {
  const place = readTarget(bodyObject(request))
  const connectivityStatus = (await slurper.reaches(place, 'write')) ? 'success' : 'error'
  return ok<ConnectivityPrecheckTargetResponse>({ connectivityStatus })
}
