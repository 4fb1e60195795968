import type { ProcessesPort, RunningProcess } from '../../src/services/mastodon/port.ts'

/** Processes as a test arranges them; the env file's time stands still until told. */
export class FakeProcesses implements ProcessesPort {
  list: readonly RunningProcess[] | undefined = undefined
  fileChangedAt: Date | undefined = new Date(Date.UTC(2026, 10, 22, 9))
  looks = 0
  /** Called before each look. */
  onLook: (look: number) => void = () => undefined

  async running() {
    this.looks += 1
    this.onLook(this.looks)
    return this.list
  }

  async changedAt() {
    return this.fileChangedAt
  }
}
