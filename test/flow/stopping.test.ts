import { expect, test, vi } from 'vitest'
import { watchStops } from '../../src/flow/stopping.ts'
import type { Host } from '../../src/host.ts'

function stopping() {
  const control = new AbortController()
  let insist: (() => void) | undefined
  const leaveNow = vi.fn<() => never>()
  const said: string[] = []
  const host: Pick<Host, 'interrupted' | 'onInsisting' | 'leaveNow' | 'pid'> = {
    interrupted: control.signal,
    pid: 4711,
    leaveNow,
    onInsisting: (listener) => {
      insist = listener
    },
  }
  const stops = watchStops(host, { warn: (text) => void said.push(String(text)) })
  return { ...stops, said, leaveNow, stop: () => control.abort(), insist: () => insist?.() }
}

test('a second signal ends a run that holds nothing', () => {
  const { insist, stop, leaveNow, said } = stopping()
  stop()
  insist()
  expect(leaveNow).toHaveBeenCalledOnce()
  expect(said).toEqual([])
})

test('a second signal is told what is waited for, and how to end it all the same', () => {
  const { hold, insist, stop, leaveNow, said } = stopping()
  hold('Env file (switch /x to R2)')
  stop()
  insist()
  expect(leaveNow).not.toHaveBeenCalled()
  expect(said).toEqual([
    expect.stringMatching(/half done: Env file \(switch \/x to R2\)\. .*kill -9 4711/),
  ])
})

test('what has ended is waited for no more', () => {
  const { hold, insist, stop, leaveNow } = stopping()
  hold('Env file')()
  stop()
  insist()
  expect(leaveNow).toHaveBeenCalledOnce()
})
