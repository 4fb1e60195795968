import type { EnvWriter } from '../plan/step.ts'
import { readTemplate } from '../read-template.ts'
import { render } from '../template.ts'

const SECRETS = ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']

/** The env file's editor with the block's template. */
export async function envWriter(): Promise<EnvWriter> {
  const [{ editEnvFile }, { diffEnvFile }, { writeEnvFile }, block] = await Promise.all([
    import('../services/mastodon/env-edit.ts'),
    import('../services/mastodon/diff.ts'),
    import('../services/mastodon/env-write.ts'),
    readTemplate('env-production.txt'),
  ])
  const renderBlock = (values: ReadonlyMap<string, string>) =>
    render(block, Object.fromEntries(values))
  return {
    edit: (text, set, retire) => {
      const whole = set.has('S3_ENABLED') ? { block: renderBlock(set) } : {}
      return editEnvFile(text, { set, retire, ...whole })
    },
    diff: (before, after) => diffEnvFile(before, after, SECRETS),
    write: (file, text) => writeEnvFile(file, text),
    render: renderBlock,
  }
}
