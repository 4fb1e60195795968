import { Problem } from '../../src/core/problem.ts'
import type { Outcome } from '../../src/plan/apply.ts'
import type { Report } from '../../src/plan/report.ts'
import { planSteps } from '../../src/plan/report.ts'
import type { Plan } from '../../src/plan/survey.ts'
import type { Closing, Ui } from '../../src/ui/port.ts'

/** One of every kind of finding, short and long. */
export const plan: Plan = {
  items: [
    {
      id: 'token',
      title: 'API token',
      finding: { is: 'ready', note: 'account-owned, all permissions there, no expiry' },
    },
    {
      id: 'media-domain',
      title: 'Custom domain',
      finding: {
        is: 'change',
        changes: [
          {
            what: 'serve the bucket at https://files.example.com (the bucket is not empty: all that is in it becomes readable)',
            risk: 'public',
          },
          { what: 'wait until files.example.com is active', risk: 'safe' },
        ],
      },
    },
    {
      id: 'old-keys',
      title: 'Old keys',
      finding: { is: 'change', changes: [{ what: 'revoke the old key', risk: 'destructive' }] },
    },
    {
      id: 'env-file',
      title: 'Env file',
      finding: {
        is: 'waiting',
        on: 'accessKey',
        will: 'write the storage settings to /home/mastodon/live/.env.production',
      },
    },
    {
      id: 'public-read',
      title: 'Public read',
      finding: {
        is: 'blocked',
        problem: new Problem({ code: 'x', what: 'It is blocked.', why: '-', next: '-' }),
      },
    },
  ],
}

export const settings: Report['settings'] = {
  'media-host': { value: 'files.example.com', source: '--media-host' },
  bucket: { value: 'example-media', source: 'default' },
  'cors-origin': {
    value: ['https://social.example.com', 'https://another.example.com'],
    source: '/home/mastodon/live/.env.production',
  },
}

const outcome = (id: string, title: string, status: Outcome['status'], note: string): Outcome => ({
  id,
  title,
  status,
  note,
  changes: [],
})

const outcomes: Outcome[] = [
  outcome('token', 'API token', 'ready', 'account-owned, all permissions there, no expiry'),
  outcome('bucket', 'Bucket', 'changed', 'example-media exists in weur'),
  outcome(
    'media-domain',
    'Custom domain',
    'failed',
    'files.example.com is not active after 900 s.',
  ),
  outcome('env-file', 'Env file', 'blocked', '/etc/x sets S3_BUCKET, and wins.'),
  outcome(
    'access-keys',
    'Access key',
    'skipped',
    'the new key was removed again, as it is not in use',
  ),
]

const problem = {
  code: 'permissions-missing',
  what: 'The API token lacks permissions.',
  why: "It can't do this:\n  Workers R2 Storage: Edit (for: bucket, custom domain, CORS, lifecycle)\n  Zone: Read (for: custom domain)",
  next: 'Edit the token at https://dash.cloudflare.com/?to=/:account/api-tokens (or, for a user token, https://dash.cloudflare.com/profile/api-tokens), add what is missing, and run this again.',
}

export const report: Report = {
  command: 'init',
  ok: false,
  dryRun: false,
  settings,
  steps: planSteps(plan, String),
  checks: [],
  env: null,
  warnings: ['example.com is a partial (CNAME) zone'],
  next: ['npx mastodon-r2 init'],
  log: null,
  problem,
}

const again = 'npx mastodon-r2 init --media-host files.example.com --bucket example-media --yes'

export const closing: Closing = {
  headline: 'Not finished; 1 step done stays done.',
  sections: [{ title: 'To go on from here', lines: [`  ${again}`] }],
}

/** A whole run as a command would tell it: plan, one wait, every way a step can end, a problem. */
export function tellRun(ui: Ui): void {
  ui.intro('mastodon-r2 init')
  ui.say('Found Mastodon 4.6.5 with systemd for example.com in /home/mastodon/live.')
  ui.note('An API token is needed', ['Open one of these:', '', '  https://dash.cloudflare.com/a'])
  ui.showPlan(plan, settings, 'Plan')
  for (const warning of report.warnings) ui.warn(warning)
  ui.started('media-domain', 'Custom domain')
  ui.told('media-domain', 'Custom domain', 'ownership pending, certificate initializing')
  ui.told('media-domain', 'Custom domain', 'ownership pending, certificate initializing')
  for (const each of outcomes) ui.ended(each)
  ui.finish(report, closing)
}
