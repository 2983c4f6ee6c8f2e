/**
 * The oslo.policy rule language. Rules are parsed once (parse.ts) into a tree of checks; evaluating a tree never throws:
 * what cannot be decided is denied.
 */

export type Check =
  | { readonly kind: 'constant'; readonly value: boolean }
  /** Could be either: denies, and a `not` does not turn it round. */
  | { readonly kind: 'undecided' }
  | { readonly kind: 'not'; readonly check: Check }
  | { readonly kind: 'and' | 'or'; readonly checks: readonly Check[] }
  | { readonly kind: 'rule' | 'role'; readonly match: string }
  | { readonly kind: 'generic'; readonly left: string; readonly match: string }

export type Credentials = Readonly<Record<string, unknown>>
export type Target = Readonly<Record<string, unknown>>
export type RuleSet = ReadonlyMap<string, Check>

export interface Enforcement {
  /** Without cycles (rule-set.ts). */
  readonly rules: RuleSet
  /** Rule that stands in for unknown ones, if there is one of that name. */
  readonly defaultRule: string
  readonly credentials: Credentials
  readonly target: Target
}

/** Checks inside each other, over all rules. */
const DEEPEST = 1_000

/** undefined: undecided. */
type Decision = boolean | undefined

export function enforceRule(name: string, e: Enforcement): boolean {
  return evaluateRule(name, e, 0) === true
}

function evaluateRule(name: string, e: Enforcement, depth: number): Decision {
  const check = e.rules.get(name) ?? e.rules.get(e.defaultRule)
  return check === undefined ? false : evaluate(check, e, depth)
}

function evaluate(check: Check, e: Enforcement, depth: number): Decision {
  if (depth > DEEPEST) return undefined
  switch (check.kind) {
    case 'constant':
      return check.value
    case 'undecided':
      return undefined
    case 'not': {
      const decision = evaluate(check.check, e, depth + 1)
      return decision === undefined ? undefined : !decision
    }
    case 'and':
      return first(false, check.checks, e, depth + 1)
    case 'or':
      return first(true, check.checks, e, depth + 1)
    case 'rule':
      return evaluateRule(check.match, e, depth + 1)
    case 'role': {
      const role = substitute(check.match, e.target)?.toLowerCase()
      const roles = own(e.credentials, 'roles')
      return role !== undefined && Array.isArray(roles) && roles.some((r) => String(r).toLowerCase() === role)
    }
    case 'generic': {
      const wanted = substitute(check.match, e.target)
      if (wanted === undefined) return false
      const literal = literalText(check.left)
      if (literal !== undefined) return literal === wanted
      return reach(e.credentials, check.left.split('.')).some((value) => pythonText(value) === wanted)
    }
    default:
      return check satisfies never
  }
}

/** The decision that settles it if one of the checks comes to it; else the other one, if all are decided. */
function first(settles: boolean, checks: readonly Check[], e: Enforcement, depth: number): Decision {
  let otherwise: Decision = !settles
  for (const check of checks) {
    const decision = evaluate(check, e, depth)
    if (decision === settles) return settles
    if (decision === undefined) otherwise = undefined
  }
  return otherwise
}

/** `%(key)s` from the target; undefined when a key is missing. */
function substitute(match: string, target: Target): string | undefined {
  let missing = false
  const text = match.replaceAll(/%(?:\(([^)]*)\)s|%)/g, (_whole: string, key: string | undefined) => {
    if (key === undefined) return '%'
    const value = lookUp(target, key)
    if (value === undefined) missing = true
    return pythonText(value)
  })
  return missing ? undefined : text
}

/** A key as it is written, else by its dots from one object into the next. */
function lookUp(target: Target, key: string): unknown {
  const whole = own(target, key)
  if (whole !== undefined) return whole
  return key.split('.').reduce((value: unknown, part) => own(value, part), target)
}

function own(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}

/** Left sides that are Python literals stand for themselves. */
function literalText(left: string): string | undefined {
  if (left === 'True' || left === 'False' || left === 'None') return left
  if (/^[-+]?(0|[1-9][0-9]*)$/.test(left)) return left.replace('+', '')
  if (/^[-+]?[0-9]+\.[0-9]+$/.test(left)) return left.replace('+', '').replace(/(\.[0-9]+?)0+$/, '$1')
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(left)
  return quoted === null ? undefined : (quoted[1] ?? quoted[2])
}

function reach(value: unknown, path: readonly string[]): unknown[] {
  const [key, ...rest] = path
  if (Array.isArray(value)) return value.flatMap((one: unknown) => reach(one, path))
  if (key === undefined) return [value]
  const next = own(value, key)
  return next === undefined ? [] : reach(next, rest)
}

/** Python's `str()`: policy files compare with `True` and `None`. */
function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

function pythonRepr(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value !== 'object') return typeof value
  const pairs = Object.entries(value).map(([key, one]) => `'${key}': ${pythonRepr(one)}`)
  return `{${pairs.join(', ')}}`
}
