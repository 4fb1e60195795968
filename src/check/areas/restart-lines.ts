import type { Installation } from '../../services/mastodon/port.ts'
import type { RunningProcess } from '../../services/mastodon/processes-port.ts'

type Kind = Pick<Installation, 'kind' | 'dir' | 'units'>

/**
 * The command that makes one process read its settings anew. `docker compose restart` would keep a
 * container's old environment; Puma takes new values on a reload, Sidekiq needs a restart.
 */
export function restartLine({ kind, dir, units }: Kind, part: Partial<RunningProcess>): string {
  if (kind === 'docker') return `cd ${dir ?? '.'} && docker compose up -d`
  const { role, name } = part
  const unit = name?.endsWith('.service') ? name : undefined
  if (role === 'sidekiq') {
    const all = units.sidekiq.length > 0 ? units.sidekiq.join(' ') : "'mastodon-sidekiq*'"
    return `sudo systemctl restart ${unit ?? all}`
  }
  const all = units.web.length > 0 ? units.web.join(' ') : 'mastodon-web.service'
  return `sudo systemctl reload-or-restart ${unit ?? all}`
}
