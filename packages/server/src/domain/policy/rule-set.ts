import type { Check, RuleSet } from './check.ts'
import { REGISTERED_RULES } from './default-rules.ts'
import { FALSE, parseRule, type RuleFlaw } from './parse.ts'

export interface RuleProblem extends RuleFlaw {
  readonly rule: string
}

export interface CompiledRules {
  readonly rules: RuleSet
  /** Each is one line for the operator. What they are about denies. */
  readonly problems: readonly RuleProblem[]
}

/** The registered rules with others on top, by name. */
export function compileRules(overrides: ReadonlyMap<string, unknown>, defaultRule: string): CompiledRules {
  const rules = new Map<string, Check>()
  const problems: RuleProblem[] = []
  const registered = REGISTERED_RULES.map(({ name, check }): [string, unknown] => [name, check])
  for (const [name, rule] of new Map<string, unknown>([...registered, ...overrides])) {
    const { check, flaws } = parseRule(rule)
    rules.set(name, check)
    problems.push(...flaws.map((flaw) => ({ rule: name, ...flaw })))
  }
  problems.push(...denyCycles(rules, defaultRule))
  return { rules, problems }
}

/** A rule that leads to itself decides nothing, so it denies; one line tells of each cycle. */
function denyCycles(rules: Map<string, Check>, defaultRule: string): RuleProblem[] {
  const edges = new Map<string, readonly string[]>()
  for (const [name, check] of rules) {
    const next = rulesNamedBy(check).map((other) => (rules.has(other) ? other : defaultRule))
    edges.set(
      name,
      [...new Set(next)].filter((other) => rules.has(other)),
    )
  }
  const told = new Set<string>()
  const problems: RuleProblem[] = []
  for (const name of leadingRound(edges)) {
    const cycle = wayBack(name, edges)
    if (cycle === undefined) continue
    rules.set(name, FALSE)
    if (!told.has(name)) problems.push({ rule: name, position: null, why: `it leads to itself: ${cycle.join(' → ')}` })
    for (const member of cycle) told.add(member)
  }
  return problems
}

/** Rules from which some way leads into a circle: what is left when those that only lead to decided ones are taken out. */
function leadingRound(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const open = new Map<string, number>()
  const namedBy = new Map<string, string[]>()
  for (const [from, all] of edges) {
    open.set(from, all.length)
    for (const to of all) push(namedBy, to, from)
  }
  const decided = [...edges.keys()].filter((name) => open.get(name) === 0)
  for (const name of decided) {
    for (const from of namedBy.get(name) ?? []) {
      const left = (open.get(from) ?? 0) - 1
      open.set(from, left)
      if (left === 0) decided.push(from)
    }
  }
  return [...edges.keys()].filter((name) => open.get(name) !== 0)
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

/** Shortest way from a rule over others to itself. */
function wayBack(start: string, edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const cameFrom = new Map<string, string>()
  let front = [start]
  while (front.length > 0) {
    const further: string[] = []
    for (const from of front) {
      for (const to of edges.get(from) ?? []) {
        if (to === start) return [...wayTo(from, start, cameFrom), start]
        if (cameFrom.has(to)) continue
        cameFrom.set(to, from)
        further.push(to)
      }
    }
    front = further
  }
  return undefined
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end]
  for (let at = end; at !== start; ) {
    at = cameFrom.get(at) ?? start
    way.unshift(at)
  }
  return way
}

/** Names after `rule:` in a check. */
export function rulesNamedBy(check: Check): string[] {
  switch (check.kind) {
    case 'rule':
      return [check.match]
    case 'not':
      return rulesNamedBy(check.check)
    case 'and':
    case 'or':
      return check.checks.flatMap(rulesNamedBy)
    default:
      return []
  }
}

/** `rule container:create, position 12: …` */
export function problemText({ rule, position, why }: RuleProblem): string {
  return `rule ${rule}${position === null ? '' : `, position ${position}`}: ${why}`
}
