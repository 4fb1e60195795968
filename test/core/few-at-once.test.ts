import { expect, test } from 'vitest'
import { fewAtOnce } from '../../src/core/streams.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('never more at once than told, and all of it is done', async () => {
  const work = fewAtOnce(3)
  let [running, most, done] = [0, 0, 0]
  for (let at = 0; at < 20; at++) {
    await work.begin(async () => {
      running += 1
      most = Math.max(most, running)
      await pause(1)
      running -= 1
      done += 1
    })
  }
  await work.end()
  expect([most, done, running]).toEqual([3, 20, 0])
})

test('an error is thrown at the next chance', async () => {
  const work = fewAtOnce(2)
  await work.begin(async () => {
    throw new Error('first')
  })
  await pause(1)
  await expect(work.begin(async () => {})).rejects.toThrow('first')
  await expect(work.end()).rejects.toThrow('first')
})
