import { describe, expect, it } from 'vitest'
import { redirect, started } from './rulesets-world.ts'

describe('an entry point', () => {
  it('is not there until it is put, and is the same one afterwards', async () => {
    const { call, redirects } = await started()
    expect(await call('GET', redirects)).toMatchObject({ status: 404, code: 10003 })
    const { result } = await call('PUT', redirects, { body: { rules: [redirect('a')] } })
    expect(result).toMatchObject({ kind: 'zone', version: '1', rules: [{ ref: 'a' }] })
    const again = await call('PUT', redirects, { body: { rules: [result.rules[0], redirect()] } })
    expect(again.result).toMatchObject({ id: result.id, version: '2' })
    expect(again.result.rules[0]).toMatchObject({ id: result.rules[0].id, ref: 'a', version: '2' })
    const second = again.result.rules[1]
    expect(second).toMatchObject({ ref: second.id, enabled: true })
  })

  it('is one for each zone and phase', async () => {
    const { call, redirects, entrypoint, rulesets } = await started()
    await call('PUT', redirects, { body: { rules: [redirect('a')] } })
    expect(await call('GET', entrypoint('http_request_cache_settings'))).toMatchObject({
      code: 10003,
    })
    const body = { kind: 'zone', name: 'x', phase: 'http_request_dynamic_redirect', rules: [] }
    expect(await call('POST', rulesets, { body })).toMatchObject({ status: 400, code: 20217 })
  })

  it('of an account is its root ruleset, and there is one', async () => {
    const { call, account } = await started()
    const body = { kind: 'root', name: 'x', phase: 'http_request_redirect', rules: [] }
    const path = `/accounts/${account}/rulesets`
    expect(await call('POST', path, { body })).toMatchObject({ result: { kind: 'root' } })
    const told = await call('POST', path, { body })
    expect(told.body.errors[0].message).toMatch(/exceeded maximum number of root rulesets/)
  })
})

describe('one rule', () => {
  async function three() {
    const at = await started()
    const rules = ['a', 'b', 'c'].map((ref) => redirect(ref))
    const { result } = await at.call('PUT', at.redirects, { body: { rules } })
    const [a, b, c] = result.rules.map(({ id }: { id: string }) => id)
    return { ...at, a, b, c, rules: `${at.rulesets}/${result.id}/rules` }
  }

  it.each([
    ['behind the others', undefined, 'abcd'],
    ['first', { index: 1 }, 'dabc'],
    ['before', { before: 'b' }, 'adbc'],
    ['after', { after: 'a' }, 'adbc'],
    ['before all', { before: '' }, 'dabc'],
  ])('is put %s', async (_, position, expected) => {
    const at = await three()
    const ids: Record<string, string> = { a: at.a, b: at.b }
    const named = Object.entries(position ?? {}).map(([key, value]) => [
      key,
      ids[String(value)] ?? value,
    ])
    const more = position ? { position: Object.fromEntries(named) } : {}
    await at.call('POST', at.rules, { body: redirect('d', more) })
    expect((await at.refs()).join('')).toBe(expected)
  })

  it('is changed at its place, keeps its ref, can be moved and goes', async () => {
    const { call, rules, refs, b } = await three()
    const body = redirect(undefined, { description: 'New' })
    const { result } = await call('PATCH', `${rules}/${b}`, { body })
    expect(result.rules[1]).toMatchObject({ id: b, ref: 'b', description: 'New', version: '2' })
    await call('PATCH', `${rules}/${b}`, { body: { position: { index: 1 } } })
    expect(await refs()).toEqual(['b', 'a', 'c'])
    await call('DELETE', `${rules}/${b}`)
    expect(await refs()).toEqual(['a', 'c'])
    expect(await call('DELETE', `${rules}/${b}`)).toMatchObject({ status: 404 })
  })

  it('has to belong to a ruleset that is there', async () => {
    const { call, rulesets } = await started()
    const body = redirect()
    const told = await call('POST', `${rulesets}/${'0'.repeat(32)}/rules`, { body })
    expect(told).toMatchObject({ status: 404 })
  })
})
