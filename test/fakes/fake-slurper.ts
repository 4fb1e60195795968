import type { Problem } from '../../src/core/problem.ts'
import type {
  SlurperFailure,
  SlurperJob,
  SlurperPort,
  SlurperProgress,
  SlurperStatus,
  SlurperWish,
} from '../../src/services/cloudflare/port.ts'

/** Super Slurper in memory: each look at a job's progress finds the next state that the test put there. */
export class FakeSlurper implements SlurperPort {
  readonly writes: string[] = []
  readonly wishes: SlurperWish[] = []
  jobs: SlurperJob[] = []
  readable = true
  writable = true
  /** What every new job goes through; the last state stays. */
  course: Partial<SlurperProgress>[] = [{ status: 'completed', objects: 1, transferred: 1 }]
  log: SlurperFailure[] = []
  refusal: Problem | undefined
  readonly #courses = new Map<string, Partial<SlurperProgress>[]>()

  async canRead() {
    return this.readable
  }

  async canWrite() {
    return this.writable
  }

  async createJob(_: string, wish: SlurperWish) {
    if (this.refusal) throw this.refusal
    this.wishes.push(wish)
    const id = `job-${this.jobs.length + 1}`
    this.writes.push(`create ${wish.prefix ?? ''}`.trim())
    this.add(id, wish, 'running', this.course)
    return id
  }

  async listJobs() {
    return [...this.jobs].reverse()
  }

  async progress(_: string, id: string) {
    const course = this.#courses.get(id)
    if (!course) return undefined
    const state = (course.length > 1 ? course.shift() : course[0]) ?? {}
    const job = this.jobs.find((known) => known.id === id)
    const status = state.status ?? job?.status ?? 'running'
    this.#move(id, status)
    return { objects: 0, transferred: 0, skipped: 0, failed: 0, ...state, status }
  }

  async pause(_: string, id: string) {
    this.writes.push(`pause ${id}`)
    this.#move(id, 'paused')
  }

  async resume(_: string, id: string) {
    this.writes.push(`resume ${id}`)
    this.#move(id, 'running')
  }

  async abort(_: string, id: string) {
    this.writes.push(`abort ${id}`)
    this.#move(id, 'aborted')
  }

  async failures(_: string, __: string, limit: number) {
    return this.log.slice(0, limit)
  }

  /** A job that somebody made. */
  add(
    id: string,
    { source, target, prefix = '' }: SlurperWish,
    status: SlurperStatus,
    course: readonly Partial<SlurperProgress>[],
  ): void {
    const endpoint = source.vendor === 's3' ? source.endpoint : undefined
    const { bucket, jurisdiction } = target
    this.jobs.push({
      id,
      status,
      createdAt: '2026-11-22T09:00:00.000Z',
      from: { bucket: source.bucket, endpoint, prefix },
      to: { bucket, jurisdiction },
    })
    this.#courses.set(id, [...course])
  }

  #move(id: string, status: SlurperStatus): void {
    this.jobs = this.jobs.map((job) => (job.id === id ? { ...job, status } : job))
  }
}
