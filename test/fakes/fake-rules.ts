import type { Problem } from '../../src/core/problem.ts'
import type {
  NewRedirect,
  NewRule,
  Redirect,
  RedirectList,
  Rule,
  RulePhase,
  RulePlace,
  RulesPort,
} from '../../src/services/cloudflare/port.ts'

interface KeptRule {
  readonly place: string
  readonly phase: RulePhase
  readonly rule: Rule
}

/** Rules and lists in memory. Everything that changes them is written down in `writes`. */
export class FakeRules implements RulesPort {
  readonly writes: string[] = []
  rules: KeptRule[] = []
  lists: (RedirectList & { redirects: Redirect[] })[] = []
  tieredCache = false
  /** Thrown by every look at rules, lists and switches, or by every change. */
  lookRefusal: Problem | undefined
  changeRefusal: Problem | undefined
  #count = 0

  async listRules(at: RulePlace, phase: RulePhase) {
    this.#look()
    const place = placeOf(at)
    return this.rules
      .filter((kept) => kept.place === place && kept.phase === phase)
      .map(({ rule }) => rule)
  }

  async addRule(at: RulePlace, phase: RulePhase, rule: NewRule) {
    this.#change(`add ${rule.ref} to ${phase}`)
    const kept = { ...rule, id: this.#id() }
    this.rules = [...this.rules, { place: placeOf(at), phase, rule: kept }]
  }

  async changeRule(_: RulePlace, phase: RulePhase, id: string, rule: NewRule) {
    this.#change(`change ${rule.ref} in ${phase}`)
    this.rules = this.rules.map((kept) =>
      kept.rule.id === id ? { ...kept, rule: { ...rule, id } } : kept,
    )
  }

  async removeRule(_: RulePlace, phase: RulePhase, id: string) {
    this.#change(`remove ${id} from ${phase}`)
    this.rules = this.rules.filter(({ rule }) => rule.id !== id)
  }

  async listRedirectLists() {
    this.#look()
    return this.lists
  }

  async createRedirectList(_: string, name: string, description: string) {
    this.#change(`create list ${name}`)
    const list = { id: this.#id(), name, description, items: 0, redirects: [] }
    this.lists = [...this.lists, list]
    return list
  }

  async listRedirects(_: string, listId: string) {
    this.#look()
    return this.lists.find(({ id }) => id === listId)?.redirects ?? []
  }

  async addRedirects(_: string, listId: string, redirects: readonly NewRedirect[]) {
    this.#change(`add ${redirects.length} redirects`)
    const flags = { subpathMatching: true, preservePathSuffix: true, preserveQueryString: true }
    const fresh = redirects.map((redirect) => ({ ...redirect, ...flags, id: this.#id() }))
    this.#keep(listId, (before) => [...before, ...fresh])
  }

  async removeRedirects(_: string, listId: string, ids: readonly string[]) {
    this.#change(`remove ${ids.length} redirects`)
    this.#keep(listId, (before) => before.filter(({ id }) => !ids.includes(id)))
  }

  async deleteRedirectList(_: string, listId: string) {
    this.#change(`delete list ${listId}`)
    this.lists = this.lists.filter(({ id }) => id !== listId)
  }

  async isTieredCacheOn() {
    this.#look()
    return this.tieredCache
  }

  async setTieredCache(_: string, on: boolean) {
    this.#change(`tiered cache ${on ? 'on' : 'off'}`)
    this.tieredCache = on
  }

  #look() {
    if (this.lookRefusal) throw this.lookRefusal
  }

  #change(what: string) {
    if (this.changeRefusal) throw this.changeRefusal
    this.writes.push(what)
  }

  #keep(listId: string, change: (before: Redirect[]) => Redirect[]) {
    this.lists = this.lists.map((list) => {
      if (list.id !== listId) return list
      const redirects = change(list.redirects)
      return { ...list, redirects, items: redirects.length }
    })
  }

  #id(): string {
    this.#count += 1
    return String(this.#count).padStart(32, 'e')
  }
}

function placeOf(at: RulePlace): string {
  return at.kind === 'zone' ? at.zoneId : at.accountId
}
