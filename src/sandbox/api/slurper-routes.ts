import type { Need, Route } from './request.ts'
import * as jobs from './slurper-jobs.ts'
import { precheckSource, precheckTarget } from './slurper-jobs.ts'

/** Which permission it takes is not written down; the one for R2 is the likely one. */
const need: Need = { groups: ['Workers R2 Storage Write'], on: 'account' }

const slurper = '/accounts/:account/slurper'
const all = `${slurper}/jobs`
const one = `${all}/:job`

/** Super Slurper, every endpoint that the description knows. */
export const slurperRoutes: readonly Route[] = [
  {
    method: 'PUT',
    path: `${slurper}/source/connectivity-precheck`,
    need,
    handle: precheckSource,
  },
  {
    method: 'PUT',
    path: `${slurper}/target/connectivity-precheck`,
    need,
    handle: precheckTarget,
  },
  { method: 'GET', path: all, need, handle: jobs.listJobs },
  { method: 'POST', path: all, need, handle: jobs.createJob },
  { method: 'PUT', path: `${all}/abortAll`, need, handle: jobs.abortAllJobs },
  { method: 'GET', path: one, need, handle: jobs.getJob },
  { method: 'DELETE', path: one, need, handle: jobs.deleteJob },
  { method: 'GET', path: `${one}/progress`, need, handle: jobs.getProgress },
  { method: 'GET', path: `${one}/logs`, need, handle: jobs.listLogs },
  { method: 'PUT', path: `${one}/pause`, need, handle: jobs.pauseJob },
  { method: 'PUT', path: `${one}/resume`, need, handle: jobs.resumeJob },
  { method: 'PUT', path: `${one}/abort`, need, handle: jobs.abortJob },
]
